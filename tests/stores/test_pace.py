"""Whatever maintenance has to do, it does a bounded piece of it while others wait."""

import random
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from miharu.batch import Batch
from miharu.call import Cost
from miharu.stores import steps as moments
from miharu.stores.pace import Pace
from miharu.stores.rollups import DAY, HOUR, named
from miharu.stores.sqlite import SQLiteStore, rolling_up
from miharu.stores.sqlite.writer import SQLiteWriter
from miharu.stores.steps import MADE
from miharu.testing.open_store import OpenStore, both
from miharu.testing.store_contract import make_call

NOW = 1_790_000_040_000 // (5 * DAY) * (5 * DAY) + 12 * HOUR
ROWS, USERS = 20, 240
BOUND = 8 * ROWS
"""Rows that a step may write: what is put aside, marks and references come on top of those of a table."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Slow(Pace):
    """As on a machine on which twenty rows take as long as a step may."""

    def most(self, kind: str, first: int) -> int:
        return min(super().most(kind, first), ROWS)


class Steps:
    """Each step of a file, with the rows that it has written."""

    def __init__(self, path: Path) -> None:
        self.now = NOW
        self.tags: tuple[str, ...] = ()
        self.writer = SQLiteWriter(SQLiteStore(f"sqlite+aiosqlite:///{path}").writer().database)
        self.writer.open()
        self.pace = Slow()

    def rows(self, question: str, *values: object) -> list[Any]:
        return self.writer.database.look(lambda it: it.execute(question, values).fetchall())

    def one(self) -> tuple[bool, int]:
        """Whether another is left, and how many rows were written."""

        def step(connection: sqlite3.Connection) -> tuple[bool, int]:
            before = connection.total_changes
            left = rolling_up.roll_up(connection, self.now, self.tags, self.pace)
            return left, connection.total_changes - before

        return self.writer.database.write(step)

    def all(self) -> list[int]:
        more, written = True, []
        while more:
            more, rows = self.one()
            written.append(rows)
        return written


@pytest.fixture
async def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OpenStore]:
    monkeypatch.setattr(rolling_up, "FOLDED_AT_ONCE", 16)
    store = both(SQLiteStore(f"sqlite+aiosqlite:///{tmp_path / 'calls.db'}", clock=lambda: NOW))
    await store.open()
    calls = [
        make_call(
            timestamp=NOW - 20 * DAY + hour * HOUR + user,
            user_id=f"u{user:03}",
            model=f"m{user % 7}",
            tags={"team": "a"},
        )
        for hour in (0, 100, 130)
        for user in range(USERS)
    ]
    await store.add(Batch(calls=[*calls, make_call(timestamp=NOW - HOUR), make_call(timestamp=NOW)]))
    yield store
    await store.close()


async def test_each_step_is_short_whatever_it_does(store: OpenStore, tmp_path: Path) -> None:
    steps = Steps(tmp_path / "calls.db")
    first = steps.all()
    assert sum(first) > 20 * USERS
    assert max(first) <= BOUND
    steps.tags = ("team",)
    assert max(steps.all()) <= BOUND
    steps.tags = ("team", "place")  # those of the first tag are made anew
    again = steps.all()
    assert sum(again) > USERS
    assert max(again) <= BOUND
    steps.now = NOW + 60 * DAY  # what is by the hour is forgotten
    old = steps.all()
    assert sum(old) > USERS
    assert max(old) <= BOUND
    steps.writer.database.write(rolling_up.start_over)
    anew = steps.all()
    assert sum(anew) > 20 * USERS
    assert max(anew) <= BOUND
    steps.writer.close()


async def test_sums_of_calls_that_are_gone_go(store: OpenStore, tmp_path: Path) -> None:
    steps = Steps(tmp_path / "calls.db")
    steps.all()
    gone = await store.prune(NOW - 15 * DAY)
    assert gone > USERS
    assert max(steps.all()) <= BOUND
    with_rows = "SELECT count(*) FROM {} WHERE t < ?"
    for table in ("sum_hour_user", "rank_day_model", "time_hour_both", "sum_minute_route"):
        assert steps.rows(with_rows.format(table), NOW - 17 * DAY) == [(0,)]
    steps.writer.close()


async def test_calls_that_change_while_a_step_is_added_in_parts_are_in_it_once(
    store: OpenStore, tmp_path: Path
) -> None:
    steps, rng, changed = Steps(tmp_path / "calls.db"), random.Random(3), set[str]()
    more = True
    while more:
        more = steps.one()[0]
        parts = steps.rows("SELECT name, upto FROM miharu_partly")
        for name, upto in parts:
            first = upto - named(named(name).source or "").grain
            within = steps.rows("SELECT id FROM llm_calls WHERE timestamp BETWEEN ? AND ?", first, upto - 1)
            for (id_,) in rng.sample(within, 3):
                await store.reprice({id_: Cost(cost_nanousd=rng.randrange(1000), cost_source="new")})
            changed.add(name)
    assert len(changed) >= 5
    for rollup in MADE:
        made = steps.rows("SELECT upto FROM miharu_made WHERE name = ?", rollup.name)
        if rollup.histogram or rollup.of_tags or rollup.of_frequent or rollup.of_failed or not made:
            continue
        until = made[0][0] // rollup.grain * rollup.grain
        oldest = 0 if rollup.kept_ms is None else NOW // DAY * DAY - rollup.kept_ms
        (sums,) = steps.rows(
            f"SELECT sum(calls), sum(cost_nanousd) FROM {rollup.name} WHERE t >= ? AND t < ?", oldest, until
        )
        (calls,) = steps.rows(
            "SELECT nullif(count(*), 0), sum(coalesce(cost_nanousd, 0)) FROM llm_calls "
            "WHERE timestamp >= ? AND timestamp < ?",
            oldest,
            until,
        )
        assert sums == calls, rollup.name
    steps.writer.close()


async def test_a_user_with_many_calls_is_found_however_small_the_steps(
    store: OpenStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moments, "OFTEN", 5)
    hours = [
        make_call(timestamp=NOW - 20 * DAY + hour * HOUR + 30 * n, user_id=f"{'eve' if n == 7 else n}")
        for hour in range(100, 106)
        for n in range(40)
        if n == 7 or n % 6 == hour % 6
    ]
    await store.add(Batch(calls=hours))
    steps = Steps(tmp_path / "calls.db")
    steps.all()
    assert steps.rows("SELECT user_id FROM miharu_frequent ORDER BY 1") == [("",), ("eve",)]
    steps.writer.close()


def steps_of(*took: tuple[int, float]) -> list[int]:
    """The sizes that a pace of ten milliseconds gives, after steps of so many rows and milliseconds."""
    times = iter([ms / 1000 for _, ms in took])
    pace = Pace(0.01, stopwatch=lambda: lambda: next(times))
    sizes = []
    for rows, _ in took:
        sizes.append(pace.most("fold", 1000))
        pace.did(rows)
        pace.ended()
    return [*sizes, pace.most("fold", 1000)]


def test_a_step_that_took_long_is_followed_by_a_shorter_one() -> None:
    assert steps_of((1000, 20)) == [1000, 500]


def test_a_quick_step_is_followed_by_a_longer_one() -> None:
    assert steps_of((1000, 9)) == [1000, 1111]


def test_a_step_that_had_little_to_do_says_little() -> None:
    assert steps_of((3, 1)) == [1000, 1000]


def test_sizes_change_slowly_and_within_bounds() -> None:
    assert steps_of((1000, 1)) == [1000, 1400]
    assert steps_of((1000, 500)) == [1000, 300]
    assert steps_of(*[(1000, 500)] * 5)[-1] == 100
