"""Finding the call of each score, without holding the file for long."""

import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from miharu.batch import Batch, Score
from miharu.call import new_id
from miharu.stores.pace import Pace
from miharu.stores.sqlite.file import WritableFile
from miharu.stores.sqlite.placing import place_some
from miharu.stores.sqlite.writer import SQLiteWriter
from miharu.testing.store_contract import NOON, make_call

TRACE = "7" * 32
SOON = NOON + 10_000


@pytest.fixture
def database(tmp_path: Path) -> WritableFile:
    return WritableFile(tmp_path / "calls.db")


@pytest.fixture
def writer(database: WritableFile) -> Iterator[SQLiteWriter]:
    writer = SQLiteWriter(database, clock=lambda: SOON)
    writer.open()
    yield writer
    writer.close()


def score(number: int, trace_id: str, at: int = SOON) -> Score:
    return Score(id=new_id(NOON + number), timestamp=at, name="good", value=1, trace_id=trace_id)


def ask(connection: sqlite3.Connection, statement: str) -> list[tuple[int, ...]]:
    return connection.execute(statement).fetchall()


def left(database: WritableFile) -> int:
    return database.look(partial(ask, statement="SELECT count(*) FROM miharu_unplaced"))[0][0]


def work_of(database: WritableFile, done: Callable[[], object]) -> int:
    """The instructions of SQLite's, in hundreds."""
    steps: list[None] = []
    database.look(lambda connection: connection.set_progress_handler(lambda: steps.append(None), 100))
    done()
    database.look(lambda connection: connection.set_progress_handler(None, 0))
    return len(steps)


def test_a_batch_with_a_score_does_not_wait_until_a_long_trace_is_read(
    database: WritableFile, writer: SQLiteWriter
) -> None:
    calls = [make_call(timestamp=NOON + number, trace_id=TRACE) for number in range(2000)]
    writer.add(Batch(calls=calls))
    assert work_of(database, lambda: writer.add(Batch(scores=[score(1, TRACE)]))) < 100
    assert left(database) == 0
    found = database.look(partial(ask, statement="SELECT timestamp FROM miharu_scored"))
    assert found == [(NOON + 1999,)]


def test_a_batch_with_a_score_of_long_ago_leaves_it_for_later(
    database: WritableFile, writer: SQLiteWriter
) -> None:
    trace = [make_call(timestamp=NOON + number, trace_id=TRACE) for number in range(2000)]
    others = [make_call(timestamp=NOON + 5000 + number) for number in range(100)]
    writer.add(Batch(calls=[*trace, *others]))
    assert work_of(database, lambda: writer.add(Batch(scores=[score(1, TRACE)]))) < 100
    assert left(database) == 1
    while writer.roll_up():
        pass
    assert left(database) == 0
    found = database.look(partial(ask, statement="SELECT timestamp FROM miharu_scored"))
    assert found == [(NOON + 1999,)]


def test_a_step_that_took_long_is_followed_by_a_smaller_one(
    database: WritableFile, writer: SQLiteWriter
) -> None:
    writer.add(Batch(calls=[make_call(timestamp=NOON, trace_id=TRACE)]))
    writer.add(Batch(scores=[score(number, TRACE, NOON - 1) for number in range(100)]))
    pace, sizes = Pace(stopwatch=lambda: lambda: 1.0), []
    for _ in range(2):
        before = left(database)
        assert database.write(partial(place_some, now=NOON + 600_000, pace=pace))
        pace.ended()
        sizes.append(before - left(database))
    assert sizes == [40, 12]


def test_a_score_that_waits_for_its_call_keeps_nothing_busy(
    database: WritableFile, writer: SQLiteWriter
) -> None:
    writer.use_texts(lambda _: [("user", "so it is said")])
    call = make_call(timestamp=NOON, body=None)
    writer.add(Batch(calls=[call], scores=[score(1, TRACE)]))
    database.write(
        lambda connection: connection.execute(
            "INSERT INTO llm_bodies (call_id, timestamp, request) VALUES (?, ?, x'7b7d')", (call.id, NOON)
        )
    )
    steps = 0
    while writer.roll_up():
        steps += 1
        assert steps < 10
    assert database.look(partial(ask, statement="SELECT count(*) FROM miharu_words")) == [(1,)]
    assert left(database) == 1
