from pathlib import Path

import pytest

from miharu.call import Call, Cost
from miharu.cli import reprice
from miharu.cli.reprice import repriced
from miharu.testing.open_store import OpenStore
from miharu.testing.store_contract import NOON, make_call

from .conftest import Run, read_back, stored

OLD = "genai-prices 0.0.1"


def priced(nano: int, source: str = "genai-prices") -> Cost:
    return Cost(cost_nanousd=nano, cost_source=source, price_version=OLD)


class Dearer:
    """Everything costs 500; nobody knows what ``gone`` costs."""

    def cost(self, call: Call) -> Cost | None:
        assert call.cost is None
        return None if call.model == "gone" else Cost(cost_nanousd=500, cost_source="genai-prices")


CALLS = [
    make_call(timestamp=NOON - 1, cost=priced(1)),
    make_call(timestamp=NOON, model="same", cost=priced(500)),
    make_call(timestamp=NOON + 1, model="changed", cost=priced(100, "genai-prices:model")),
    make_call(timestamp=NOON + 2, model="gained", cost=None),
    make_call(timestamp=NOON + 3, model="gone", cost=priced(7)),
    make_call(timestamp=NOON + 4, model="changed", cost=priced(9, "provider")),
    make_call(timestamp=NOON + 5, model="changed", cost=priced(9, "my-prices")),
    *(
        make_call(timestamp=NOON + 6, model="changed", cost=priced(9, source))
        for source in ("own", "gateway-cache:cloudflare", "not-billed:refusal")
    ),
]


@pytest.mark.parametrize("dry_run", [True, False])
async def test_costs_that_change_are_stored(
    store: OpenStore, monkeypatch: pytest.MonkeyPatch, dry_run: bool
) -> None:
    from miharu.batch import Batch

    monkeypatch.setattr(reprice, "_PAGE", 2)
    await store.add(Batch(calls=CALLS))
    tally = await repriced(store.sides.questions, store.sides.writer, Dearer(), NOON, dry_run=dry_run)
    assert (tally.looked_at, tally.stated, tally.changed, tally.gained, tally.lost) == (9, 5, 3, 1, 1)
    found = {name: (change.calls, change.before, change.after) for name, change in tally.models.items()}
    assert found == {"changed": (1, 100, 500), "gained": (1, 0, 500), "gone": (1, 7, 0)}
    costs = []
    for call in CALLS:
        read = await store.call(call.id)
        assert read is not None
        costs.append(read.cost and read.cost.cost_nanousd)
    kept = [9] * 5
    assert costs == ([1, 500, 100, None, 7, *kept] if dry_run else [1, 500, 500, 500, None, *kept])
    same = await store.call(CALLS[1].id)
    assert same is not None
    assert same.cost == CALLS[1].cost


def test_the_report_says_how_many_and_how_much(run_process: Run, tmp_path: Path) -> None:
    asked = {"provider": "openai", "cost": priced(1_000_000)}
    file = stored(
        tmp_path / "calls.db",
        *(make_call(model="gpt-4o", **asked) for _ in range(3)),
        make_call(model="gpt-4o", provider="openai", cost=None),
        make_call(model="nobody-knows", cost=None),
        make_call(cost=priced(9, "provider")),
    )
    command = ["reprice", "--since", "2020-01-01", "--database", str(file)]
    would = run_process(*command, "--dry-run")
    assert (would.returncode, would.stderr) == (0, "")
    assert "6 calls since 2020-01-01 00:00 UTC." in would.stdout
    assert "1 with a stated cost, which stays." in would.stdout
    assert "4 would change (1 had no price before): together they cost $" in would.stdout
    assert "and not $0.0030 (-$0.00" in would.stdout
    assert "gpt-4o" in would.stdout
    assert sum(call.cost is None for call in read_back(file)) == 2
    done = run_process(*command)
    assert "4 changed (1 had no price before)" in done.stdout
    assert sum(call.cost is None for call in read_back(file)) == 1
    assert [call.cost for call in read_back(file)].count(priced(9, "provider")) == 1
    assert "No cost changes." in run_process(*command).stdout
