"""Markers on charts, the time since one, and alerts on the pages."""

import json
import re
from dataclasses import replace

import pytest

from miharu._alert import Alert, AlertChange
from miharu.batch import Batch, Marker, Score
from miharu.call import Call, Cost, Outcome, Usage, new_id
from miharu.dashboard.address.view import View
from miharu.dashboard.address.windows import Window
from miharu.dashboard.charts.flags import SMALL, WIDE, flags
from miharu.dashboard.panels.errors.over_time import errors_over_time
from miharu.dashboard.panels.since import since
from miharu.dashboard.queries.markers import with_marker
from miharu.recorder.alerts import AlertState
from miharu.recorder.alerts.turns import marker_of
from miharu.wording.numbers import MINUS
from tests.dashboard.conftest import NOW, get, make_site
from tests.dashboard.memory import MemoryStore

pytestmark = pytest.mark.anyio
MINUTE, HOUR = 60_000, 3_600_000
FAILED = Outcome(status="error", error_type="timeout")


def at(ago: int, *, failed: bool = False, cost: int = 10_000_000, **facts: object) -> Call:
    call = Call(
        id=new_id(NOW - ago),
        timestamp=NOW - ago,
        api="openai.chat",
        model="gpt",
        duration_ms=1000,
        outcome=FAILED if failed else Outcome(status="success", http_status=200),
        usage=Usage(prompt_tokens=900, completion_tokens=100, usage_source="provider"),
        cost=Cost(cost_nanousd=cost, cost_source="test"),
    )
    return replace(call, **facts)  # type: ignore[arg-type]


def mark(name: str, ago: int, **facts: object) -> Marker:
    return replace(Marker(id=new_id(NOW - ago), timestamp=NOW - ago, name=name), **facts)  # type: ignore[arg-type]


async def store_of(*markers: Marker, calls: int = 80) -> MemoryStore:
    store = MemoryStore(
        [at(i * 5 * MINUTE, failed=i < 12, cost=20_000_000 if i < 25 else 10_000_000) for i in range(calls)]
    )
    await store.add(Batch(markers=markers))
    return store


async def test_flags_stand_on_every_chart_over_time() -> None:
    store = await store_of(mark("deploy 1.4", 2 * HOUR), mark("1.3", 9 * HOUR, kind="release"))
    body = (await get(make_site(store))).body.decode()
    charts = re.findall(r'<figure class="chart marked".*?</figure>', body, re.DOTALL)
    assert len(charts) == body.count('<figure class="chart') == 3
    for chart in charts:
        names = re.findall(
            r'aria-label="(Marker deploy 1\.4|Release 1\.3), [^"]+: show the time since"', chart
        )
        assert names == ["Marker deploy 1.4", "Release 1.3"]
        assert "range=since" in chart
    assert "2 markers" in body
    assert "style=" not in body
    assert "Since deploy 1.4" in body
    asked = {"users": {"user": "ann"}, "tags": {"name": "team", "tag": "team=search"}}
    for page in ("errors", "compare", "models", "routes", "users", "tags"):
        body = (await get(make_site(store), page, **asked.get(page, {}))).body.decode()
        assert body.count('class="chart marked"') == body.count('<figure class="chart') > 0, page


async def test_flags_stand_on_the_chart_of_scores() -> None:
    store = await store_of(mark("deploy 1.4", 2 * HOUR))
    call = max(store.kept)
    rated = Score(id=new_id(NOW - HOUR), timestamp=NOW - HOUR, name="helpful", value=1.0, call_id=call)
    await store.add(Batch(scores=(rated,)))
    body = (await get(make_site(store))).body.decode()
    assert body.count('class="chart marked"') == body.count('<figure class="chart') == 4


async def test_without_markers_nothing_tells_of_them() -> None:
    body = (await get(make_site(await store_of()))).body.decode()
    for trace in ("mk-fl", "Since", "chart marked", "marker", 'class="card alerts"'):
        assert trace not in body


async def test_names_are_shown_as_text() -> None:
    store = await store_of(mark('<b>"&', HOUR))
    body = (await get(make_site(store))).body.decode()
    assert '<b>"' not in body
    assert "&lt;b&gt;" in body


def window() -> Window:
    return View().window(NOW)


def test_where_two_would_touch_the_older_keeps_its_flag_alone() -> None:
    two = [mark("2026.11.4", 5 * HOUR), mark("2026.11.3", 6 * HOUR)]
    newer, older = flags(two, window(), SMALL * 2, lambda marker: marker.name)
    assert (newer.name, older.name) == ("2026.11.4", "")
    assert (newer.older, older.older) == (False, True)
    apart = flags(two, window(), 5000, lambda marker: marker.name)
    assert [flag.name for flag in apart] == ["2026.11.4", "2026.11.3"]


def test_at_the_right_edge_the_name_stands_on_the_left() -> None:
    (late,) = flags([mark("deploy 1.4", MINUTE)], window(), WIDE, lambda _: "")
    (early,) = flags([mark("deploy 1.4", 23 * HOUR)], window(), WIDE, lambda _: "")
    assert (late.left, early.left) == (True, False)


def test_thousands_are_a_few_flags() -> None:
    many = [mark(f"m{number}", number * 10_000) for number in range(5000)]
    drawn = flags(many, window(), WIDE, lambda _: "")
    assert 2 <= len(drawn) <= 12
    assert sum(1 + flag.others for flag in drawn) == 5000


async def test_a_page_of_thousands_of_markers_is_bounded() -> None:
    few = await store_of(mark("one", HOUR))
    many = await store_of(*(mark(f"m{number}", number * 1000) for number in range(5000)))
    sizes = [len((await get(make_site(store))).body) for store in (few, many)]
    assert sizes[1] < sizes[0] + 40_000


async def test_the_time_since_is_a_range_by_name_and_by_id() -> None:
    deploy = mark("deploy 1.4", 2 * HOUR)
    store = await store_of(mark("deploy 1.4", 20 * HOUR), deploy, mark("other", HOUR))
    site = make_site(store)
    for name in ("deploy 1.4", deploy.id):
        view = await with_marker(View.read({"range": "since", "mark": name}), site)
        found = view.window(NOW)
        assert found.start == deploy.timestamp // MINUTE * MINUTE
        assert found.start < NOW < found.end <= NOW + MINUTE
        assert found.earlier == (found.start - found.length, found.start)
        assert "range=since&mark=" in view.link("errors")
        assert "mark" not in view.link("errors", mark=None)
    body = (await get(site, range="since", mark="deploy 1.4")).body.decode()
    assert '<span class="k">since</span><span class="val">deploy 1.4</span>' in body
    assert '<input type="hidden" name="mark" value="deploy 1.4">' in body
    assert body.count('aria-current="true">24h') == 0
    compare = (await get(site, "compare", range="since", mark="deploy 1.4")).body.decode()
    assert "against" in compare
    table = json.loads((await get(site, "export.json", of="models", range="since", mark=deploy.id)).body)
    assert (table["from"], table["to"]) == ("2026-11-23T12:20Z", "2026-11-23T14:21Z")


async def test_a_marker_that_is_not_there_is_said() -> None:
    body = (await get(make_site(await store_of()), range="since", mark="gone")).body.decode()
    assert "gone: there is no such marker" in body


async def test_the_card_compares_with_as_long_a_time_before() -> None:
    store = await store_of(mark("deploy 1.4", 2 * HOUR))
    scores = [
        Score(id=new_id(NOW - ago), timestamp=NOW - ago, name="helpful", value=value)
        for ago, value in ((HOUR, 0.5), (3 * HOUR, 0.75), (9 * HOUR, 0.1))
    ]
    await store.add(Batch(scores=scores))
    card = await since(View(), make_site(store))
    assert card is not None
    figures = {figure.name: (figure.before, figure.after, figure.change) for figure in card.figures}
    assert figures["Cost per call"] == ("$0.0100", "$0.0200", "+100.0%")
    assert figures["Errors"][1] == "48%"
    assert figures["helpful"] == ("0.75", "0.50", f"{MINUS}0.25")
    assert 0 <= card.few < 30  # on each side are fewer than tell
    assert "range=since" in card.compare
    assert await since(View(service="x"), make_site(await store_of(mark("y", HOUR, service="z")))) is None
    assert await since(View(), make_site(await store_of(mark("now", 0)))) is None


async def test_errors_are_shown_by_number_and_by_share() -> None:
    store = MemoryStore([at(HOUR + i * MINUTE, failed=i < 3) for i in range(12)])
    site = make_site(store)
    number = (await errors_over_time(View(), site))["failing"]
    assert sum(number.data["series"][0]["v"]) == 3
    share = (await errors_over_time(View(failed="rate"), site))["failing"]
    assert share.data["unit"] == "%"
    assert max(share.data["series"][0]["v"]) == 2500
    assert (await errors_over_time(View(), make_site(MemoryStore([at(HOUR)]))))["failing"].shapes == []
    body = (await get(site, "errors", failed="rate")).body.decode()
    assert re.search(r'failed=rate" aria-current="true"|aria-current="true">Rate', body)


REFUNDS = Alert("Refunds fail", "errors>5% route:/refund")
SLOW = Alert("Slow <answers>", "p95>8s")
QUIET = Alert("Quiet", "cost>5")


def turned(alert: Alert, number: int, ago: int) -> Marker:
    state = "firing" if number % 2 else "resolved"
    change = AlertChange(alert.name, state, alert.when, alert.over, NOW - ago, "41.9% of 203 calls", 0.4, 203)  # type: ignore[arg-type]
    return marker_of(alert, change, number, "someone")


async def test_what_fires_comes_first_then_what_was_over() -> None:
    store = await store_of(
        turned(SLOW, 1, 5 * HOUR), turned(SLOW, 2, 4 * HOUR), turned(REFUNDS, 1, 40 * HOUR)
    )
    states = [AlertState(one, one is REFUNDS, None, "") for one in (REFUNDS, SLOW, QUIET)]
    body = (await get(make_site(store, alerts=lambda: states))).body.decode()
    strip = re.search(r'<section class="card alerts".*?</section>', body, re.DOTALL)
    assert strip is not None
    text = strip[0]
    assert text.index("Firing") < text.index("Refunds fail") < text.index("Resolved") < text.index("Slow")
    assert "Slow &lt;answers&gt;" in text
    assert "1 other quiet" in text
    assert 'href="alerts"' in text
    assert re.search(r'href="errors\?start=[^"]+route', text)
    page = (await get(make_site(store, alerts=lambda: states), "alerts")).body.decode()
    assert "3 watched by this process" in page
    assert "What happened" in page
    assert "Quiet" in page


async def test_what_others_watch_is_shown_while_it_is_in_the_range() -> None:
    store = await store_of(turned(REFUNDS, 1, 3 * HOUR))
    assert "Refunds fail" in (await get(make_site(store))).body.decode()
    old = await store_of(turned(REFUNDS, 1, 40 * HOUR))
    assert "Refunds fail" not in (await get(make_site(old))).body.decode()  # it may be stated no more
    assert "none changed in this range" in (await get(make_site(old), "alerts")).body.decode()


async def test_a_turn_of_an_alert_is_no_marker_to_compare_around() -> None:
    store = await store_of(turned(REFUNDS, 1, 3 * HOUR))
    body = (await get(make_site(store))).body.decode()
    assert "mk-fl" not in body
    assert 'data-pick="since"' not in body
