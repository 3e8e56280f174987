import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from miharu.batch import Batch
from miharu.call import Call, Cost, Outcome, Usage, new_id
from miharu.dashboard.address.view import FILTERS, View
from miharu.dashboard.panels.figures import Card, figures
from tests.dashboard.conftest import NOW, Ask, get, make_site
from tests.dashboard.memory import MemoryStore

pytestmark = pytest.mark.anyio
MINUTE, HOUR = 60_000, 3_600_000
PRICED = Call(
    id="",
    timestamp=0,
    api="openai.chat",
    provider="openai",
    model="gpt",
    duration_ms=1000,
    outcome=Outcome(status="success", http_status=200),
    usage=Usage(prompt_tokens=900, completion_tokens=100, cached_tokens=450, usage_source="provider"),
    cost=Cost(cost_nanousd=10_000_000, cost_source="test"),
)


def at(ago: int, call: Call = PRICED, **changes: object) -> Call:
    made: Call = replace(call, timestamp=NOW - ago, id=new_id(NOW - ago), **changes)  # type: ignore[arg-type]
    return made


async def cards(*calls: Call, view: View | None = None) -> dict[str, Card]:
    facts = await figures(view or View(), make_site(MemoryStore(calls)))
    return {card.id: card for card in facts["cards"]}


def texts(card: Card) -> list[str]:
    return [text for text, _ in (*card.notes, *card.warnings)]


async def test_waits_for_the_first_call_and_becomes_the_overview_by_itself() -> None:
    store = MemoryStore()
    site = make_site(store)
    waiting = await get(site)
    tag = dict(waiting.headers)["HX-PTag"]
    assert b"Waiting for the first call" in waiting.body
    assert re.search(rb"miharu\.<span[^>]*>init</span>\(\)", waiting.body)
    assert (await get(site, ptag=tag)).status == 304
    await store.add(Batch(calls=[at(0)]))
    now = await get(site, ptag=tag)
    assert now.status == 200
    assert b'id="overview-now"' in now.body


async def test_sums_money_exactly() -> None:
    calls = [at(i * MINUTE, cost=Cost(cost_nanousd=100_000_001, cost_source="t")) for i in range(10)]
    card = (await cards(*calls))["cost"]
    assert (card.value, card.cents) == ("$1", ".00")


async def test_counts_what_has_no_price_beside_the_money() -> None:
    card = (await cards(at(0), at(1, cost=None), at(2, cost=None)))["cost"]
    assert card.value + card.cents == "$0.0100"
    assert "2 calls without a price" in texts(card)


async def test_shows_no_zero_where_no_price_is_known() -> None:
    card = (await cards(at(0, cost=None)))["cost"]
    assert card.value == "\N{EN DASH}"
    assert texts(card) == ["1 call without a price"]


async def test_says_when_usage_is_an_estimate() -> None:
    card = (await cards(at(0, usage=Usage(prompt_tokens=1, usage_source="estimated"))))["cost"]
    assert "1 call estimated" in texts(card)


async def test_counts_requests_per_hour_since_the_first_call() -> None:
    card = (await cards(*(at(2 * HOUR - i * MINUTE) for i in range(60))))["requests"]
    assert (card.value, card.unit) == ("60", "30/h")


async def test_counts_requests_per_hour_over_the_range_once_it_is_covered() -> None:
    card = (await cards(at(30 * HOUR), *(at(i * MINUTE) for i in range(48))))["requests"]
    assert card.unit == "2/h"


async def test_counts_the_last_minute() -> None:
    card = (await cards(at(0), at(59_000), at(61_000)))["requests"]
    assert texts(card) == ["2 in the last minute"]


async def test_reckons_a_month_from_the_covered_part() -> None:
    """Two dollars in ten hours are 144 in thirty days."""
    calls = [at(10 * HOUR - 30_000), *(at(i) for i in range(199))]
    assert "$144 a month at this rate" in texts((await cards(*calls))["cost"])


async def test_reckons_no_month_from_a_minute() -> None:
    assert texts((await cards(at(0)))["cost"]) == []


async def test_compares_only_with_a_period_that_has_data() -> None:
    assert all(card.delta is None for card in (await cards(at(0), at(HOUR))).values())
    found = (await cards(at(0), at(1), at(2), at(25 * HOUR), at(26 * HOUR)))["requests"].delta
    assert found is not None
    assert (found.up, found.text, found.bad) == (True, "50.0%", False)


async def test_calls_slower_and_more_errors_bad() -> None:
    failed = replace(PRICED, outcome=Outcome(status="error", http_status=429))
    found = await cards(at(0, failed), at(1, duration_ms=5000), at(25 * HOUR), at(26 * HOUR))
    errors, latency = found["errors"], found["latency"]
    assert (errors.value, errors.unit) == ("50", "%")
    assert texts(errors) == ["1 failed", "1 rate limited"]
    assert errors.delta is not None
    assert errors.delta.bad
    assert (latency.value, latency.unit) == ("5.00", "s")
    assert latency.delta is not None
    assert latency.delta.bad


async def test_says_how_much_was_cached_and_when_the_first_token_came() -> None:
    found = await cards(at(0, ttft_ms=300))
    assert texts(found["tokens"]) == ["900 in", "100 out", "50% cached"]
    assert texts(found["latency"]) == ["p50 1.00 s", "first token 300 ms"]
    assert texts((await cards(at(0)))["latency"]) == ["p50 1.00 s", "first token \N{EN DASH}"]


async def test_takes_filters_from_the_url_and_shows_them_as_chips(ask: Ask, store: MemoryStore) -> None:
    body = (await ask(model="gpt-6.1-sol", status="error", range="7d")).body.decode()
    expected = [c for c in store.kept.values() if c.model == "gpt-6.1-sol" and c.outcome.status == "error"]
    assert f"Showing {min(8, len(expected))} of {len(expected)}" in body
    assert 'href="./?range=7d&amp;status=error" aria-label="Remove the filter model gpt-6.1-sol"' in body
    assert 'href="calls?range=7d&amp;model=gpt-6.1-sol&amp;status=error"' in body


@pytest.mark.parametrize("measure", ["cost", "tokens", "requests"])
@pytest.mark.parametrize("span", ["1h", "24h", "7d", "30d"])
async def test_draws_bars_that_sum_to_the_totals(
    ask: Ask, store: MemoryStore, measure: str, span: str
) -> None:
    body = (await ask("overview-charts", measure=measure, range=span)).body.decode()
    chart = json.loads(re.findall(r'<script type="application/json">(.*?)</script>', body)[0])
    query = View.read({"range": span}).query(NOW)
    totals = await store.totals(query)
    expected = {
        "cost": totals.cost_nanousd,
        "tokens": totals.prompt_tokens + totals.completion_tokens,
        "requests": totals.calls,
    }[measure]
    assert sum(sum(series["v"]) for series in chart["series"]) == expected
    assert chart["t"][0] <= query.start < chart["t"][1]
    assert chart["t"][-1] < query.end
    assert len(chart["series"]) <= 7


async def test_counts_every_successful_call_in_the_heat_map(ask: Ask, store: MemoryStore) -> None:
    body = (await ask("overview-charts")).body.decode()
    chart = json.loads(re.findall(r'<script type="application/json">(.*?)</script>', body)[1])
    query = replace(View().query(NOW), status="success")
    assert sum(chart["calls"]) == (await store.totals(query)).calls


async def test_gives_each_chart_a_table_twin(ask: Ask) -> None:
    body = (await ask()).body.decode()
    assert body.count("Show as table") == body.count('<figure class="chart"') == 3


@pytest.mark.parametrize("by", ["model", "provider", "route"])
async def test_breaks_usage_down(ask: Ask, store: MemoryStore, by: str) -> None:
    body = (await ask(by=by)).body.decode()
    groups = await store.groups(View().query(NOW), by)  # type: ignore[arg-type]
    table = body.partition(f"Usage by {by}")[2].partition("</tbody>")[0]
    assert table.count("<tr>") == len(groups) + 1


@pytest.mark.parametrize("by", ["route", "user"])
async def test_sums_the_dearest_once_for_the_table_and_the_list(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    asked: list[tuple[object, ...]] = []
    groups = store.groups

    async def noted(*args: Any, **kwargs: Any) -> Any:
        asked.append(args)
        return await groups(*args, **kwargs)

    monkeypatch.setattr(store, "groups", noted)
    page = await get(make_site(store), by=by)
    assert page.status == 200
    of_some = [args for args in asked if len(args) == 4 and args[1] == FILTERS[by]]
    assert len(of_some) == 1


async def test_is_made_again_only_when_something_changed(store: MemoryStore) -> None:
    first = dict((await get(make_site(store), "overview-now")).headers)["HX-PTag"]
    assert (await get(make_site(store), "overview-now", ptag=first)).status == 304
    assert (await get(make_site(store), "overview-now", ptag=first, model="x")).status == 200
    assert (await get(make_site(store, losses=1), "overview-now", ptag=first)).status == 200
    assert (await get(make_site(store, now=NOW + 10_000), "overview-now", ptag=first)).status == 200
    await store.add(Batch(calls=[at(0)]))
    assert (await get(make_site(store), "overview-now", ptag=first)).status == 200


async def test_embeds_the_tag_that_its_fragments_answer_with(ask: Ask) -> None:
    for path in ("overview-now", "overview-charts"):
        body = (await ask(range="7d", model="gpt-6.1-sol", measure="tokens")).body.decode()
        link, tag = re.findall(rf'hx-get="{path}\?([^"]*)".*?hx-ptag="(\w+)"', body)[0]
        params = dict(pair.split("=") for pair in link.replace("&amp;", "&").split("&"))
        assert (await ask(path, ptag=tag, **params)).status == 304


async def test_says_how_many_calls_were_lost(store: MemoryStore) -> None:
    for path in ("", "overview-now", "calls", "calls-rows"):
        assert b"3 calls were lost in this process" in (await get(make_site(store, losses=3), path)).body
        assert b"lost in this process" not in (await get(make_site(store), path)).body


async def test_says_that_calls_lie_in_the_future_and_where() -> None:
    """The clock of the machine that recorded them is ahead."""
    ahead = [at(-5 * HOUR - number * MINUTE, service="batch") for number in range(3)]
    store = MemoryStore([at(MINUTE), *ahead])
    for path in ("", "calls", "models"):
        body = (await get(make_site(store), path)).body.decode()
        assert "3 calls lie in the future" in body
        assert "the clock of batch is ahead" in body
    link = re.search(r'href="(calls\?start=[^"]+)">Show them', body)
    assert link is not None
    params = dict(
        pair.split("=") for pair in link.group(1).partition("?")[2].replace("&amp;", "&").split("&")
    )
    shown = (await get(make_site(store), "calls", **params)).body.decode()
    assert all(call.id in shown for call in ahead)
    assert "lie in the future" not in shown  # it is about a range that does not end now
    only = (await get(make_site(MemoryStore(ahead)))).body.decode()
    assert "3 calls lie in the future" in only
    assert "Waiting for the first call" not in only


async def test_a_clock_that_is_a_little_ahead_is_not_worth_a_word() -> None:
    body = (await get(make_site(MemoryStore([at(MINUTE), at(-20_000)])))).body.decode()
    assert "in the future" not in body


async def test_shows_a_range_without_calls() -> None:
    page = await get(make_site(MemoryStore([at(50 * HOUR)])))
    assert page.status == 200
    assert b"Nothing in this range." in page.body
    assert b"No call in this range." in page.body


async def test_days_are_those_of_the_viewer_or_the_axis_says_utc() -> None:
    """One call at eight in the evening of the 21st in Los Angeles, which is the 22nd in UTC."""
    moment = int(datetime(2026, 11, 22, 4, tzinfo=UTC).timestamp() * 1000)
    site = make_site(MemoryStore([replace(PRICED, id="x", timestamp=moment)]))
    plain = (await get(site, "", range="30d", measure="requests")).body.decode()
    assert '<html lang="en" data-tz="UTC">' in plain
    assert '<span class="zone"' in plain
    theirs = (await get(site, "", range="30d", measure="requests", zone="America/Los_Angeles")).body.decode()
    assert '<html lang="en" data-tz="America/Los_Angeles">' in theirs
    assert '<span class="zone"' not in theirs
    bars = [bar_of(body) for body in (plain, theirs)]
    assert bars == [
        int(datetime(2026, 11, 22, tzinfo=UTC).timestamp() * 1000),
        int(datetime(2026, 11, 21, 8, tzinfo=UTC).timestamp() * 1000),
    ]


def bar_of(body: str) -> int:
    """The start of the only step that holds a call."""
    chart = json.loads(re.findall(r'<script type="application/json">(.*?)</script>', body)[0])
    (series,) = chart["series"]
    (found,) = [t for t, value in zip(chart["t"], series["v"], strict=True) if value]
    return int(found)


async def test_the_cost_of_thirty_days_does_not_fall_by_itself_at_midnight() -> None:
    """A call an hour, for forty days: at any minute there are as many of them in any range."""
    start = NOW // HOUR * HOUR
    store = MemoryStore(replace(PRICED, id=f"c{n:03}", timestamp=start - n * HOUR) for n in range(960))
    for name, calls in (("24h", 24), ("7d", 168), ("30d", 720)):
        for minutes in range(0, 1500, 97):
            site = make_site(store, now=start - 72 * HOUR + minutes * MINUTE + 1)
            found = (await figures(View.read({"range": name}), site))["totals"]
            assert (found.calls, found.cost_nanousd) == (calls, calls * 10_000_000)


async def test_today_is_compared_with_yesterday_until_this_time() -> None:
    site = make_site(MemoryStore([at(HOUR)]))
    body = (await get(site, "", range="today", zone="Europe/Vienna")).body.decode()
    assert "vs yesterday until this time" in body
    assert 'href="./?range=month"' in body
    assert "Today</a>" in body
