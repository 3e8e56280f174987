from dataclasses import replace
from typing import Any

import pytest

from miharu._budget import BudgetState
from miharu.dashboard.address.view import View
from miharu.dashboard.http.templates import render
from miharu.dashboard.panels.budgets import Standing, budgets
from tests.dashboard.conftest import make_site
from tests.dashboard.memory import MemoryStore
from tests.test_budget import state

pytestmark = pytest.mark.anyio
HOUR = 3_600_000


async def shown(*states: BudgetState) -> tuple[list[Standing], str]:
    site = replace(make_site(MemoryStore()), budgets=lambda: states)
    facts: Any = await budgets(View(), site)
    return facts["budgets"], str(render("panels/budgets.html", **facts))


async def test_without_budgets_there_is_no_panel() -> None:
    assert (await shown())[1].strip() == ""


async def test_it_says_how_each_stands() -> None:
    now = make_site(MemoryStore()).clock()
    [one], html = await shown(state(spent_nanousd=2_500_000_000, ends=now + 3 * HOUR, unpriced=2))
    assert (one.spent, one.limit, one.used, one.ends) == ("$2.50", "$10.00", "25% used", "3 hours left")
    assert one.unpriced == "2 calls without a known price"
    assert (one.tone, one.fate, one.percent) == ("", "", 25.0)
    for part in ("10.00 USD a day", "$2.50 of $10.00", "2 calls without", "25.0%"):
        assert part in html
    assert "refused" not in html


async def test_the_nearest_to_its_limit_comes_first() -> None:
    low, near, over = (
        state(name=name, spent_nanousd=spent, key=key, refuses=True)
        for name, spent, key in (("low", 1, None), ("near", 8 * 10**9, "ann"), ("over", 12 * 10**9, "<b>"))
    )
    found, html = await shown(low, near, over)
    assert [(one.name, one.tone, one.fate) for one in found] == [
        ("over", "bad", "calls are refused"),
        ("near", "warn", ""),
        ("low", "", ""),
    ]
    assert found[0].percent == 100.0
    assert "&lt;b&gt;" in html
    assert "<b>" not in html


async def test_what_was_not_read_yet_is_not_said_to_be_nothing() -> None:
    [one], _ = await shown(state(is_known=False))
    assert one.used == "not read yet"


@pytest.mark.parametrize(
    ("ms", "said"),
    [
        (12 * 24 * HOUR + 1, "12 days left"),
        (30 * HOUR, "30 hours left"),
        (HOUR, "60 minutes left"),
        (-1, "0 minutes left"),
    ],
)
async def test_it_says_how_long_it_lasts(ms: int, said: str) -> None:
    now = make_site(MemoryStore()).clock()
    [one], _ = await shown(state(ends=now + ms))
    assert one.ends == said


async def test_of_many_only_the_nearest_are_shown() -> None:
    many = [state(name=f"budget {number}", spent_nanousd=number) for number in range(30)]
    found, html = await shown(*many)
    assert [one.name for one in found] == [f"budget {number}" for number in range(29, 21, -1)]
    assert "22 more" in html
