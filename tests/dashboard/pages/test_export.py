"""Files of what is on screen: exact, and harmless in a spreadsheet."""

import csv
import io
import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miharu.call import Call, Outcome
from miharu.dashboard.http.page import Page, Site
from miharu.dashboard.pages.calls import FACTS
from miharu.dashboard.pages.export import FILES, in_cell
from miharu.stores.columns import CALLS
from tests.dashboard.conftest import Ask, get, make_site
from tests.dashboard.memory import MemoryStore

pytestmark = pytest.mark.anyio
FORMULAS = (
    '=HYPERLINK("http://evil.example")',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "\N{FULLWIDTH EQUALS SIGN}1",
    "\N{NO-BREAK SPACE}=1",
    "\N{IDEOGRAPHIC SPACE}=1",
    "\N{ZERO WIDTH SPACE}=1",
    "\N{FULLWIDTH COMMERCIAL AT}SUM(A1)",
    "\N{FULLWIDTH HYPHEN-MINUS}1",
)


def rows(page: Page) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(page.body.decode())))


def document(page: Page) -> Any:
    return json.loads(page.body)


@pytest.mark.parametrize("of", FILES)
async def test_gives_each_page_as_both(ask: Ask, of: str) -> None:
    for name, kind in (("export.csv", "text/csv; charset=utf-8"), ("export.json", "application/json")):
        page = await ask(name, of=of, range="7d")
        headers = dict(page.headers)
        assert page.status == 200
        assert headers["Content-Type"] == kind
        assert headers["Cache-Control"] == "no-store"
        assert headers["Content-Disposition"].startswith('attachment; filename="miharu-2026-11-23-')
        assert headers["Content-Disposition"].endswith(f'{name[6:]}"')
    plain, exact = (
        rows(await ask("export.csv", of=of, range="7d")),
        document(await ask("export.json", of=of, range="7d")),
    )
    assert len(plain) == len(exact["rows"])
    assert not plain or list(plain[0]) == list(exact["rows"][0])


async def test_links_to_itself_from_every_page(ask: Ask) -> None:
    for path in (
        "",
        "live",
        "calls",
        "routes",
        "models",
        "tools",
        "users",
        "tags",
        "sessions",
        "errors",
        "compare",
    ):
        body = (await ask(path, model="gpt-6.1-sol")).body.decode()
        for kind in ("csv", "json"):
            assert f'href="export.{kind}?model=gpt-6.1-sol&amp;of={path or "overview"}"' in body or (
                f"&amp;of={path or 'overview'}" in body
            )


async def test_holds_what_the_filters_leave_and_no_more(ask: Ask, store: MemoryStore) -> None:
    expected = [c for c in store.kept.values() if c.model == "gpt-6.1-sol" and c.outcome.status == "error"]
    found = rows(await ask("export.csv", of="calls", range="7d", model="gpt-6.1-sol", status="error"))
    assert {row["id"] for row in found} == {call.id for call in expected}


async def test_loses_no_digit_of_money(ask: Ask, store: MemoryStore) -> None:
    found = document(await ask("export.json", of="calls", range="7d"))["rows"]
    for row in found:
        call = store.kept[row["id"]]
        nano = call.cost.cost_nanousd if call.cost else None
        assert row["cost_nanousd"] == nano
        assert row["cost_usd"] is None if nano is None else Decimal(row["cost_usd"]) * 10**9 == nano
    total = sum(call.cost.cost_nanousd for call in store.kept.values() if call.cost)
    usage = rows(await ask("export.csv", of="overview", range="7d"))
    assert sum(Decimal(row["cost_usd"] or 0) for row in usage) * 10**9 == total


async def test_says_where_the_rest_is(monkeypatch: pytest.MonkeyPatch, ask: Ask, store: MemoryStore) -> None:
    from miharu.dashboard.pages import calls

    monkeypatch.setattr(calls, "_FILE", 100)
    monkeypatch.setattr(calls, "_AT_ONCE", 50)
    seen: list[str] = []
    before: str | None = ""
    while before is not None:
        found = document(await ask("export.json", of="calls", range="7d", before=before))
        seen += [row["id"] for row in found["rows"]]
        before = found["next_before"]
    assert seen == sorted(store.kept, reverse=True)


async def test_calls_come_in_the_order_of_the_screen(store: MemoryStore) -> None:
    tagged = [replace(call, tags={"team": "search"}) for call in list(store.kept.values())[::2]]
    site = make_site(MemoryStore([*tagged, *list(store.kept.values())[1::2]]))
    shown = await get(site, "export.json", of="calls", range="7d", sort="-cost", tag="team=search")
    found = document(shown)
    assert found["filters"] == {"tag": "team=search"}
    costs = [row["cost_nanousd"] for row in found["rows"]]
    assert costs == sorted(costs, key=lambda nano: -1 if nano is None else nano, reverse=True)
    assert len(costs) == len(tagged)


async def test_has_the_columns_of_the_table() -> None:
    assert set(FACTS) <= set(CALLS)


@pytest.mark.parametrize("text", FORMULAS)
def test_makes_no_formula(text: str) -> None:
    cell = in_cell(text)
    assert isinstance(cell, str)
    assert cell.startswith("'")


@given(st.text(max_size=40))
def test_makes_no_formula_of_anything(text: str) -> None:
    cell = in_cell(text)
    assert isinstance(cell, str)
    assert not cell.lstrip(" \N{NO-BREAK SPACE}\ufeff").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert text.replace("\0", "") in cell


def test_leaves_numbers_numbers() -> None:
    assert [in_cell(value) for value in (-5, 1.5, None, Decimal("-0.000000001"))] == [
        -5,
        1.5,
        "",
        "-0.000000001",
    ]


async def test_defuses_what_models_and_users_wrote() -> None:
    hostile = Call(
        id="=1",
        timestamp=0,
        api="x",
        model=FORMULAS[0],
        user_id=FORMULAS[1],
        route=FORMULAS[3],
        session_id=FORMULAS[2],
        outcome=Outcome(status="error", error_type="=2", error_message="=3\n=4"),
    )
    site = make_site(MemoryStore([hostile]), now=1000)
    for of in ("calls", "overview", "routes", "sessions", "errors", "compare"):
        for row in rows(await get(site, "export.csv", of=of)):
            assert not [cell for cell in row.values() if cell[:1] in "=+@" and cell], of


async def test_takes_an_unknown_page_for_the_overview(site: Site) -> None:
    assert (await get(site, "export.csv", of="nothing")).body == (await get(site, "export.csv")).body


async def test_gives_a_session_as_its_tree() -> None:
    one = Call(id="a", timestamp=5, api="x", session_id="s", outcome=Outcome(status="success"))
    site = make_site(MemoryStore([one, replace(one, id="b", timestamp=9)]), now=1000)
    found = rows(await get(site, "export.csv", of="sessions", session="s"))
    assert [row["id"] for row in found] == ["a", "b"]
