"""Users and the values of tags: who is listed, in which order, against what, and what a file has of them."""

import csv
import html
import io
import json
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

import pytest

from miharu.batch import Batch
from miharu.call import Call, Cost, Outcome
from miharu.dashboard.http.page import Site
from miharu.dashboard.panels import who
from miharu.stores.base import By, Query, Ranks
from miharu.testing.store_contract import make_call
from miharu.wording.numbers import UNKNOWN
from tests.dashboard.conftest import NOW, Ask, get, make_site
from tests.dashboard.memory import MemoryStore

HOUR, DAY = 3_600_000, 86_400_000


def _call(user: str | None, nano: int | None, ago: int, **facts: Any) -> Call:
    cost = None if nano is None else Cost(cost_nanousd=nano, cost_source="test")
    return make_call(timestamp=NOW - ago, user_id=user, cost=cost, **facts)


FAILED = Outcome(status="error", http_status=500, error_type="server_error")


@pytest.fixture
def store() -> MemoryStore:
    """In the last day, and in the one before."""
    return MemoryStore(
        [
            _call("ann", 60_000_000, HOUR, tags={"team": "search"}, duration_ms=1000),
            _call("ann", 20_000_000, 30 * HOUR, tags={"team": "search"}),
            _call("bob", 20_000_000, 3 * HOUR, tags={"team": "=cmd"}, outcome=FAILED),
            _call("bob", 19_000_000, 30 * HOUR),
            _call("<i>new</i>", 10_000_000, 2 * HOUR),
            _call(None, 10_000_000, 60_000),
            _call("gone", 500_000_000, 30 * HOUR, tags={"team": "search"}),
            _call("free", None, 2 * HOUR),
        ]
    )


def _names(body: str) -> list[str]:
    cells = re.findall(r'<td class="u-name"><span class="nm">(?:<a[^>]*>|<span[^>]*>)(.*?)</', body)
    return [html.unescape(cell) for cell in cells]


async def _body(site: Site, path: str, **params: str) -> str:
    page = await get(site, path, **params)
    assert page.status == 200
    return page.body.decode()


def _row(body: str, name: str) -> str:
    rows: list[str] = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    (row,) = [row for row in rows if f">{html.escape(name)}<" in row]
    return row


async def test_those_without_a_user_are_a_row_in_its_place_and_shares_fit(site: Site) -> None:
    body = await _body(site, "users")
    assert _names(body)[0] == "ann"
    assert sorted(_names(body)) == ["<i>new</i>", "ann", "bob", "free", "no user named"]
    shares = [int(share) for share in re.findall(r'<span class="mid">(\d+)%</span></td>', body)]
    assert shares == [60, 20, 10, 10, 0]
    widths = [float(width) for width in re.findall(r'class="s4" width="([\d.]+)%"', body)]
    assert widths == [60, 20, 10, 10, 0]
    assert "<i>new" not in body


async def test_change_is_against_the_time_before_and_red_only_above_twice(site: Site) -> None:
    body = await _body(site, "users")
    assert re.search(r'class="dl bad".*200%', _row(body, "ann"), re.DOTALL)
    assert re.search(r'class="dl mid".*5%', _row(body, "bob"), re.DOTALL)
    assert '<span class="tag">new</span>' in _row(body, "<i>new</i>")
    assert '<span class="tag">new</span>' not in _row(body, "no user named")
    assert "inf" not in body
    assert "1 h ago" in _row(body, "ann")
    assert "1.00 s" in _row(body, "ann")


@pytest.mark.parametrize(
    ("params", "names"),
    [
        ({"sort": "moved"}, ["gone", "ann", "no user named", "<i>new</i>", "bob", "free"]),
        ({"sort": "failing"}, ["bob"]),
        ({"sort": "new"}, ["<i>new</i>", "free"]),
        ({"sort": "name"}, ["no user named", "<i>new</i>", "ann", "bob", "free"]),
        ({"sort": "cost_usd"}, ["free", "no user named", "<i>new</i>", "bob", "ann"]),
        ({"sort": "-errors"}, ["bob", "ann", "no user named", "<i>new</i>", "free"]),
        ({"sort": "errors"}, ["ann", "no user named", "<i>new</i>", "free", "bob"]),
        ({"sort": "-errors", "status": "success"}, ["ann", "no user named", "<i>new</i>", "free"]),
        ({"sort": "-seen"}, ["no user named", "ann", "<i>new</i>", "free", "bob"]),
        ({"sort": "seen", "match": "b"}, ["bob"]),
        ({"sort": "-p95_ms"}, ["ann", "no user named", "<i>new</i>", "free", "bob"]),
        ({"sort": "p95_ms"}, ["no user named", "<i>new</i>", "free", "ann", "bob"]),
        ({"match": "N"}, ["ann", "<i>new</i>"]),
        ({"match": "%"}, []),
        ({"sort": "1; DROP"}, ["ann", "bob", "no user named", "<i>new</i>", "free"]),
        ({"model": "none"}, []),
        ({"status": "success", "sort": "failing"}, []),
    ],
)
async def test_the_order_and_the_part_that_is_asked_for(
    site: Site, params: dict[str, str], names: Sequence[str]
) -> None:
    assert _names(await _body(site, "users", **params)) == names


async def test_only_what_is_drawn_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore([_call(f"u{number:03}", 1000 - number, HOUR) for number in range(300)])
    asked: list[int] = []
    for name in ("groups", "series", "latencies"):
        question = getattr(store, name)

        async def ask(*args: Any, question: Any = question, **kwargs: Any) -> Any:
            keys = next((arg for arg in args[2:] if isinstance(arg, tuple | list)), ())
            asked.append(len(kwargs.get("among") or keys))
            return await question(*args, **kwargs)

        monkeypatch.setattr(store, name, ask)
    body = await _body(make_site(store), "users-table", page="3")
    assert _names(body) == [f"u{number:03}" for number in range(40, 60)]
    assert "41 to 60 of 300" in body
    assert max(asked) == 20


async def test_a_user_has_a_page_beside_all_others(site: Site) -> None:
    body = await _body(site, "users")
    link = html.unescape(re.findall(r'href="(users\?user=[^"]*)"', body)[0])
    one = await _body(site, "users", **dict(parse_qsl(link.partition("?")[2])))
    assert '<h2 id="h-one" dir="auto">ann</h2>' in one
    assert "60% of all" in one
    assert "Why it moved" in one
    assert "miharu prune --user ann --database /shop/.miharu/calls.db" in one
    assert "<form" not in one.partition("Forget…")[2].partition("</details>")[0]
    assert "<i>new" not in await _body(site, "users", user="<i>new</i>; rm -rf")
    said = await _body(site, "users", user="a; rm -rf ~")
    assert "--user 'a; rm -rf ~' --database" in html.unescape(said)


async def test_a_tag_has_its_values_and_a_row_for_those_without(site: Site) -> None:
    body = await _body(site, "tags")
    assert _names(body) == ["search", "no team", "=cmd"]
    one = await _body(site, "tags", name="team", tag="team=search")
    assert '<h2 id="h-one" dir="auto">search</h2>' in one
    assert "miharu prune" not in one
    assert "All values of team" in one
    other = await _body(site, "tags", name="nothing")
    assert _names(other) == ["no nothing"]


async def test_without_a_tag_it_says_how_to_have_one() -> None:
    site = make_site(MemoryStore([_call("ann", 1, HOUR)]))
    body = await _body(site, "tags")
    assert "No call has a tag yet." in body
    assert "tag_sums=" in body
    assert (await get(site, "export.csv", of="tags")).status == 200


async def test_months_add_up_and_are_those_of_the_viewer(site: Site, store: MemoryStore) -> None:
    first = 1_793_491_200_000  # 1 November 2026, 00:00 UTC
    await store.add(
        Batch(
            calls=[
                make_call(
                    timestamp=first - 1, user_id="ann", cost=Cost(cost_nanousd=7 * 10**9, cost_source="t")
                ),
                make_call(
                    timestamp=first - 40 * DAY, user_id="old", cost=Cost(cost_nanousd=10**9, cost_source="t")
                ),
                *(make_call(timestamp=first + n, user_id=f"u{n:02}") for n in range(30)),
            ]
        )
    )
    body = await _body(site, "users", show="months")
    assert [head in body for head in ("September 2026", "October 2026", "November 2026, so far")] == [
        True
    ] * 3
    assert "Months begin at midnight, UTC." in body
    assert "$7.00" in _row(body, "ann")
    assert "all others" in body
    assert "1 call without a known price" in body
    later = (await get(site, "users", show="months", zone="Asia/Tokyo")).body.decode()
    assert "Asia/Tokyo" in later
    ann = _row(later, "ann")
    assert ann.index("$7.") > ann.index("\N{EN DASH}")  # in Tokyo it was November already


async def _file(site: Site, **params: str) -> list[dict[str, str]]:
    page = await get(site, "export.csv", **params)
    assert page.status == 200
    return list(csv.DictReader(io.StringIO(page.body.decode())))


async def test_chargeback_is_a_file_by_month_without_formulas(site: Site, store: MemoryStore) -> None:
    rows = await _file(site, of="tags", name="team", show="months")
    assert [(row["month"], row["team"]) for row in rows] == [
        ("2026-11", "search"),
        ("2026-11", "no team"),
        ("2026-11", "'=cmd"),
    ]
    totals = await store.totals(Query(start=0, end=NOW + 1))
    for column, whole in (("calls", totals.calls), ("unpriced", 1), ("input_tokens", totals.prompt_tokens)):
        assert sum(int(row[column]) for row in rows) == whole
    assert sum(round(float(row["cost_usd"]) * 10**9) for row in rows) == totals.cost_nanousd
    users = await _file(site, of="users")
    assert [row["user"] for row in users][:2] == ["ann", "bob"]
    assert users[0]["cost_before_usd"] == "0.020000000"


async def test_a_file_of_months_is_bounded_and_says_so(
    store: MemoryStore, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from miharu.dashboard.panels import months

    monkeypatch.setattr(months, "_IN_A_FILE", 3)
    page = await get(site, "export.csv", of="users", show="months")
    names = dict(page.headers)
    assert "users-by-month-first-3.csv" in names["Content-Disposition"]
    assert page.body.count(b"\r\n") == 4


@pytest.mark.parametrize("show", ["main", "months"])
async def test_the_name_of_a_tag_is_no_formula_and_hides_no_figure(show: str) -> None:
    names = ("=cmd|' /C calc'!A0", "cost_usd", "month", "calls")
    site = make_site(MemoryStore([_call("ann", 60_000_000, HOUR, tags=dict.fromkeys(names, "v"))]))
    for name in names:
        page = await get(site, "export.csv", of="tags", name=name, show=show)
        head = next(csv.reader(io.StringIO(page.body.decode())))
        assert not any(cell.startswith("=") for cell in head)
        assert len(set(head)) == len(head)
        page = await get(site, "export.json", of="tags", name=name, show=show)
        row = json.loads(page.body)["rows"][0]
        assert (row["cost_usd"], row["calls"]) == ("0.060000000", 1)
        assert "v" in row.values()


async def test_the_menu_names_both(ask: Ask) -> None:
    body = (await ask("models")).body.decode()
    assert 'data-page="users"' in body
    assert 'data-page="tags"' in body


def _figures(body: str) -> dict[str, str]:
    """The text of each key figure, by its label."""
    cards = re.findall(r'<div class="kpi"><div class="l">(.*?)</div>(.*?)</div>\s*</div>', body, re.DOTALL)
    return {label: " ".join(re.sub(r"<[^>]+>", " ", rest).split()) for label, rest in cards}


async def test_key_figures_say_how_many_there_are_and_how_the_cost_is_spread(site: Site) -> None:
    figures = _figures(await _body(site, "users"))
    assert figures["Cost"].startswith("$0 .1000 down 81%")
    assert "10% of it with no user named" in figures["Cost"]
    # bob, ann and gone in the day before; new are two, and one is gone
    assert figures["Users"] == "4 up 1 2 new 1 gone quiet"
    assert figures["Median user"] == "$0.0100 1 call"  # ann 0.06, bob 0.02, new 0.01, free
    assert not [label for label in figures if label.startswith("Top")]
    assert '<h2 id="h-who">4 users</h2>' in " ".join((await _body(site, "users")).split())
    tags = _figures(await _body(site, "tags"))
    assert "20% of it with no team" in tags["Cost"]
    assert tags["Values"].startswith("2 up 1 1 new 0 gone quiet")


@pytest.mark.parametrize("unnamed", [0, 1, 9_000, 22_000, 90_000])
async def test_the_median_is_told_among_those_with_a_name(unnamed: int) -> None:
    calls = [_call(f"u{number:02}", 1000 * number, HOUR) for number in range(1, 22)]
    calls += [_call(None, 1000 * unnamed, HOUR)] if unnamed else []
    figures = _figures(await _body(make_site(MemoryStore(calls)), "users"))
    assert figures["Median user"].startswith("$0.000011")
    assert figures["Users"].startswith("21")
    top, whole = sum(range(12, 22)), sum(range(1, 22)) + unnamed
    assert figures["Top 10 users"].startswith(f"{100 * top / whole:.0f}" if top / whole >= 0.1 else "")
    assert "of the cost" in figures["Top 10 users"]


@pytest.mark.parametrize("unnamed", [0, 100, 100_000])
async def test_of_too_many_it_is_not_told_who_is_new_nor_who_is_in_the_middle(
    unnamed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(who, "RANKED", 20)
    calls = [_call(f"u{n:02}", 1000 - n, ago) for n in range(30) for ago in (HOUR, 30 * HOUR)]
    calls += [_call(None, unnamed, HOUR)] if unnamed else []
    site = make_site(MemoryStore(calls))
    figures = _figures(await _body(site, "users"))
    assert (figures["Users"], figures["Median user"]) == ("30", UNKNOWN)
    assert "u29" in await _body(site, "users", page="2")


async def test_the_table_and_the_figures_above_it_share_a_ranking() -> None:
    asked = []

    class Counting(MemoryStore):
        async def ranks(self, query: Query, by: By, *args: Any, **kwargs: Any) -> Ranks:
            asked.append(query)
            return await super().ranks(query, by, *args, **kwargs)

    await _body(make_site(Counting([_call("ann", 1, HOUR), _call("bob", 2, 30 * HOUR)])), "users")
    assert len(asked) == len(set(asked)) == 2


async def test_the_share_of_the_top_is_against_the_time_before() -> None:
    calls = [_call(f"u{n:02}", 1000, ago) for n in range(20) for ago in (HOUR, 30 * HOUR)]
    calls.append(_call("u00", 20_000, HOUR))
    figures = _figures(await _body(make_site(MemoryStore(calls)), "users"))
    assert figures["Top 10 users"] == "75 % up 25 points of the cost"
    assert figures["Users"] == "20 0 new 0 gone quiet"


async def test_there_are_no_key_figures_where_nobody_is_named() -> None:
    assert "Key figures" not in await _body(make_site(MemoryStore([_call(None, 1, HOUR)])), "users")


async def test_times_put_only_those_in_order_that_cost_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(who, "_TIMED_AT_MOST", 30)
    store = MemoryStore([_call(f"u{n:02}", 1000 - n, HOUR, duration_ms=1000 + n) for n in range(40)])
    asked: list[int] = []
    latencies = store.latencies

    async def ask(query: Query, by: Any, among: Sequence[str | None]) -> Any:
        asked.append(len(among))
        return await latencies(query, by, among)

    monkeypatch.setattr(store, "latencies", ask)
    body = await _body(make_site(store), "users", sort="-p95_ms")
    assert _names(body) == [f"u{n:02}" for n in range(29, 9, -1)]
    assert "of the 30 that cost most" in body
    assert max(asked) == 30
    assert 'aria-sort="descending"' in body
    assert _names(await _body(make_site(store), "users", sort="-p95_ms", page="2")) == [
        f"u{n:02}" for n in range(9, -1, -1)
    ]


async def test_the_page_of_a_user_has_each_tag_that_sums_are_kept_by() -> None:
    tags = {"team": "search", "release": "1.4", "place": "<b>"}
    store = MemoryStore([_call("ann", 1000, HOUR, tags=tags), _call("bob", 9, HOUR, tags={"other": "o"})])
    body = await _body(make_site(store), "users", user="ann")
    assert re.findall(r'<h2 id="h-tag-\d+">(.*?)</h2>', body) == ["place", "release", "team"]
    assert "&lt;b&gt;" in body
    assert "tags?name=release&amp;tag=release=1.4" in body or "tag=release=1.4" in body
    body = await _body(make_site(store), "tags", name="team", tag="team=search")
    assert re.findall(r'<h2 id="h-tag-\d+">(.*?)</h2>', body) == ["place", "release"]


async def test_of_tags_without_sums_one_is_on_the_page_of_a_user(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore([_call("ann", 1000, HOUR, tags={"a": "1", "b": "2"})])

    async def none() -> Sequence[str]:
        return ()

    monkeypatch.setattr(store, "tag_names", none)
    body = await _body(make_site(store), "users", user="ann")
    assert re.findall(r'<h2 id="h-tag-\d+">(.*?)</h2>', body) == ["a"]
