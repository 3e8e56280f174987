"""Who used it, what broke and what was wasted: on the overview, by route and by model."""

import json
import re
from dataclasses import replace

import pytest

from miharu.call import Call, Cost, Outcome, Usage, new_id
from miharu.dashboard.address.view import View
from miharu.dashboard.pages import routes
from miharu.dashboard.panels.groups import columns, leaders, rows_by
from miharu.dashboard.panels.tables import Column, Sorted, ordered
from miharu.dashboard.panels.waste import waste
from tests.dashboard.conftest import NOW, get, make_site
from tests.dashboard.memory import MemoryStore

pytestmark = pytest.mark.anyio
DOLLAR = 10**9
ONE = Call(
    id="",
    timestamp=0,
    api="x",
    model="gpt-6",
    provider="openai",
    route="POST /chat",
    user_id="ann",
    duration_ms=2000,
    outcome=Outcome(status="success", http_status=200),
    usage=Usage(prompt_tokens=1000, completion_tokens=100, usage_source="provider"),
    cost=Cost(cost_nanousd=DOLLAR, cost_source="t"),
)


def at(ago: int, **facts: object) -> Call:
    return replace(ONE, id=new_id(NOW - ago), timestamp=NOW - ago, **facts)  # type: ignore[arg-type]


def ended(status: str) -> Outcome:
    return Outcome(status=status, error_type="boom" if status == "error" else None)  # type: ignore[arg-type]


WASTEFUL = (
    at(1, outcome=ended("error"), cost=None, usage=Usage(), attempt=1, duration_ms=30_000),
    at(2, attempt=2),
    at(3, outcome=ended("cancelled"), cost=Cost(cost_nanousd=DOLLAR // 4, cost_source="t")),
    at(4, duplicate_of="x", route="GET /twice"),
    at(5, cache_missed_tokens=800, cache_missed_nanousd=DOLLAR // 2),
    at(6, user_id=None, route=None),
)


async def test_adds_up_what_bought_nothing() -> None:
    found = (await waste(View(), make_site(MemoryStore(WASTEFUL))))["wasted"]
    assert (found.failed, found.failed_ms, found.retries) == (1, 30_000, 1)
    assert (found.left, found.left_nanousd) == (1, DOLLAR // 4)
    assert (found.duplicates, found.duplicate_nanousd) == (1, DOLLAR)
    assert (found.missed_tokens, found.missed_nanousd) == (800, DOLLAR // 2)
    assert found.nanousd == DOLLAR * 7 // 4


async def test_shows_waste_with_what_it_cost_and_hides_it_where_there_is_none() -> None:
    body = (await get(make_site(MemoryStore(WASTEFUL)))).body.decode()
    panel = body.partition('id="h-waste"')[2].partition("</section>")[0]
    assert "$1.75" in panel
    assert "30.00 s of waiting" in panel
    assert "800 tokens" in panel
    for page in ("", "routes"):
        assert b">Waste</h2>" in (await get(make_site(MemoryStore(WASTEFUL)), page)).body
        assert b">Waste</h2>" not in (await get(make_site(MemoryStore([at(1)])), page)).body


async def test_says_what_each_route_wasted() -> None:
    rows = {
        row.key: row
        for row in (await rows_by(View(), make_site(MemoryStore(WASTEFUL)), "route", "", waste=True)).rows
    }
    assert rows["GET /twice"].wasted.duplicates == 1
    assert rows["POST /chat"].wasted.left == 1
    assert not rows[None].wasted.anything
    body = (await get(make_site(MemoryStore(WASTEFUL)), "routes")).body.decode()
    table = body.partition('id="h-wasted"')[2]
    assert '1 <span class="dim">$0.2500</span>' in table
    assert '800 <span class="dim">$0.5000</span>' in table


async def test_looks_for_no_waste_that_the_filters_leave_out() -> None:
    site = make_site(MemoryStore(WASTEFUL))
    view = View(status="success")
    assert (await waste(view, site))["wasted"].failed == 0
    assert all(row.wasted.failed == 0 for row in (await rows_by(view, site, "route", "", waste=True)).rows)


async def test_names_the_most_expensive_with_their_share() -> None:
    found = await leaders(View(), make_site(MemoryStore(WASTEFUL)), "user", 1)
    assert [(row.name, round(row.share)) for row in found] == [("ann", 76)]
    body = (await get(make_site(MemoryStore(WASTEFUL)))).body.decode()
    assert "no user named" in body
    nameless = (await get(make_site(MemoryStore([at(1, user_id=None)])))).body.decode()
    assert 'id="h-users"' not in nameless


async def test_says_what_broke_or_that_nothing_did() -> None:
    broken = (await get(make_site(MemoryStore(WASTEFUL)))).body.decode()
    panel = broken.partition('id="h-broke"')[2].partition("</section>")[0]
    assert "boom" in panel
    assert 'href="errors?error=boom"' in panel
    calm = (await get(make_site(MemoryStore([at(1)])))).body.decode()
    assert "Nothing failed." in calm
    assert "1 call succeeded." in calm


async def test_reckons_per_call_and_per_second() -> None:
    found = await rows_by(View(), make_site(MemoryStore([at(1), at(2, cost=None)])), "model", "")
    [row] = found.rows
    assert row.each == DOLLAR
    assert row.speed == 50
    assert row.failing == 0
    assert row.cached is None


async def test_sorts_by_any_column_and_keeps_the_unknown_last() -> None:
    site = make_site(MemoryStore([at(1), at(2, route="GET /b", cost=None), at(3, route="GET /b")]))

    async def order(sort: str) -> list[str]:
        body = (await get(site, "routes", sort=sort)).body.decode()
        table = body.partition('id="h-routes"')[2]
        return re.findall(r'data-row class="cut mono" title="([^"]*)"', table)

    assert await order("-calls") == ["GET /b", "POST /chat"]
    assert await order("calls") == ["POST /chat", "GET /b"]
    assert await order("route") == ["GET /b", "POST /chat"]
    assert await order("-route") == ["POST /chat", "GET /b"]
    assert await order("nonsense") == await order("")


async def test_shows_the_price_of_each_model() -> None:
    body = (
        await get(make_site(MemoryStore([at(1, model="gpt-5-mini"), at(2, model="house")])), "models")
    ).body
    assert b"$0.25 in, $2.00 out, $0.025 from a cache" in body
    assert body.count(b'class="under"') == 1


async def test_names_the_models_without_a_price_and_how_to_give_them_one() -> None:
    used = Usage(prompt_tokens=10, completion_tokens=5, usage_source="provider")
    calls = [
        *(at(ago, model="house-7b", usage=used, cost=None) for ago in range(1, 4)),
        at(5, model="other-7b", usage=used, cost=None),
        at(6, model="gpt-5-mini", usage=used, cost=None),  # the list has a price: it used something else
        at(7, model="unsaid", usage=Usage(), cost=None),
        at(8, model="priced", usage=used, cost=Cost(cost_nanousd=1, cost_source="own")),
        at(9, model="free", usage=used, cost=Cost(cost_nanousd=0, cost_source="own")),
    ]
    body = (await get(make_site(MemoryStore(calls)), "models")).body.decode()
    note = body.partition("No price for")[2].partition("</p>")[0]
    assert "house-7b</span> (3 calls), " in note
    assert "other-7b</span> (1 call)." in note
    assert "prices={&#34;house-7b&#34;: miharu.Price(input=…, output=…)}" in note
    assert not any(name in note for name in ("gpt-5-mini", "unsaid", "priced", "free"))
    priced_only = await get(make_site(MemoryStore(calls[-2:])), "models")
    assert b"No price for" not in priced_only.body


async def test_looks_closer_at_one_route() -> None:
    site = make_site(MemoryStore(WASTEFUL))
    body = (await get(site, "routes", route="POST /chat")).body.decode()
    assert "Models on this route" in body
    assert 'href="calls?model=gpt-6&amp;route=POST+/chat"' in body
    assert "Models on this route" not in (await get(site, "routes")).body.decode()


async def test_says_how_routes_are_known_where_none_is() -> None:
    assert (
        b"miharu.MiharuMiddleware" in (await get(make_site(MemoryStore([at(1, route=None)])), "routes")).body
    )


def test_orders_rows_with_gaps() -> None:
    numbers: list[Column[dict[str, int]]] = [Column("n", "N", lambda row: row.get("n"))]
    rows = [{"n": 2}, {}, {"n": 3}, {"n": 1}]
    default = Sorted("n", descending=True)
    down, order = ordered(rows, numbers, None, default)
    assert down == [{"n": 3}, {"n": 2}, {"n": 1}, {}]
    assert (order.text, order.turned("n", words=False), order.turned("m", words=True)) == ("-n", "n", "m")
    up, order = ordered(rows, numbers, "n", default)
    assert up == [{"n": 1}, {"n": 2}, {"n": 3}, {}]
    assert order.turned("n", words=False) == "-n"


def test_has_the_same_columns_for_all() -> None:
    assert [column.name for column in columns("model")][1:] == [column.name for column in columns("user")][1:]


@pytest.mark.parametrize(
    ("path", "field", "params", "size"),
    [
        ("routes", "route", {}, 200),
        ("models", "model", {}, 200),
        ("", "user_id", {"by": "user"}, 12),
        ("", "route", {"by": "route"}, 12),
    ],
)
async def test_a_table_of_very_many_rows_is_turned_page_by_page(
    path: str, field: str, params: dict[str, str], size: int
) -> None:
    number = 2 * size + 7
    facts = [
        {field: f"GET /{n:04}", "cost": Cost(cost_nanousd=10**6 * (n + 1), cost_source="t")}
        for n in range(number)
    ]
    site = make_site(MemoryStore(at(1000 + n, **one) for n, one in enumerate(facts)))
    seen: list[str] = []
    number_of = {"page": "1"}
    for page in (1, 2, 3):
        body = (await get(site, path, **params, **(number_of if page > 1 else {}))).body.decode()
        assert len(body) < 450_000
        table = body[body.index('<table class="groups">') :]
        table = table[: table.index("</tbody>")]
        found = re.findall(r'title="(GET /\d+)"', table)
        before = (page - 1) * size
        assert f"{before + 1} to {before + len(found)} of {number}, the most expensive first" in body
        seen += found
        following = re.search(r'href="([^"]*)" rel="next"', body)
        assert (following is not None) == (page < 3)
        assert (' rel="prev"' in body) == (page > 1)
        number_of = {"page": str(page + 1)}
        if following:
            assert f"page={page + 1}" in following[1]
        totals = re.findall(r"<tfoot><tr><td>Total</td><td class=\"num\">([\d,]+)</td>", body)
        assert totals[0] == f"{number:,}"
    assert seen == [f"GET /{n:04}" for n in reversed(range(number))]
    beyond = (await get(site, path, page="99", **params)).body.decode()
    assert f"There are only {number}." in beyond
    assert "First</a>" in beyond


async def test_a_page_number_stays_where_it_belongs() -> None:
    view = View.read({"page": "3", "range": "7d"})
    assert view.link("routes") == "routes?range=7d&page=3"
    assert view.to("routes") == "routes?range=7d"
    assert view.link("calls") == "calls?range=7d"
    for odd in ("0", "-1", "x", "", "9" * 20, "\u0663"):
        assert View.read({"page": odd}).page == 1


async def test_a_file_of_some_rows_says_so_in_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "IN_A_FILE", 5)
    site = make_site(MemoryStore(at(n, route=f"GET /{n}") for n in range(8)))
    page = await get(site, "export.json", of="routes", page="2")
    assert '-routes-first-5.json"' in dict(page.headers)["Content-Disposition"]
    document = json.loads(page.body)
    assert (len(document["rows"]), document["left_out"]) == (5, 3)
