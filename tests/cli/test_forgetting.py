import sqlite3
import time
from pathlib import Path

import anyio
import pytest

from miharu.batch import Batch, Score, Span
from miharu.call import Body, Call, new_id
from miharu.cli import main
from miharu.cli.prune.forgetting import holding
from miharu.stores.base import Query
from miharu.stores.rollups import ROLLUPS
from miharu.stores.sqlite import SQLiteStore
from miharu.testing.open_store import OpenStore, both
from miharu.testing.store_contract import make_call

from .conftest import Run, read_back
from .test_prune import Terminal

HOUR = 3_600_000
ADA, BOB = "ada-lovelace-1815", "bob-the-builder"
SAID = "ZANZIBARPEPPERMINT"


def _trace(number: int) -> str:
    return f"{number:032x}"


def _calls() -> list[Call]:
    """Six hundred of each in a few hours, so that there are sums of each user's own."""
    now = time.time_ns() // 1_000_000 - 80 * HOUR
    return [
        make_call(
            timestamp=now + number * 30_000,
            user_id=user,
            session_id=f"session-of-{user}-{number // 40}",
            trace_id=_trace(number * 2 + (user == BOB)),
            request_model=f"m{number % 3}",
            # as it is stored: what zlib cannot make smaller would be searched for in vain otherwise
            usage=make_call().usage,
            tags={"note": SAID} if user == ADA else None,
            body=Body(request=f"{user} said {number}".encode(), response=b"yes"),
        )
        for number in range(600)
        for user in (ADA, BOB)
    ]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database whose sums are all made."""
    path = tmp_path / "calls.db"

    async def fill(store: OpenStore) -> None:
        calls = _calls()
        spans = [
            Span(
                id=f"{place:016x}",
                trace_id=call.trace_id or "",
                name="step",
                timestamp=call.timestamp,
                duration_ms=5,
                status="success",
                user_id=call.user_id,
                tags={"note": SAID} if call.user_id == ADA else None,
            )
            for place, call in enumerate(calls)
            if not place // 2 % 10
        ]
        scores = [
            Score(
                id=new_id(call.timestamp),
                timestamp=call.timestamp,
                name="helpful",
                value=1.0,
                call_id=call.id,
                comment=f"{call.user_id}",
            )
            for call in calls[::50]
        ]
        for start in range(0, len(calls), 100):
            await store.add(Batch(calls=calls[start : start + 100]))
        await store.add(Batch(calls=[], spans=spans, scores=scores))
        # enough that is nobody's for all of them to be folded and referred to
        others = [make_call(timestamp=time.time_ns() // 1_000_000) for _ in range(2500)]
        await store.add(Batch(calls=others))
        while await store.roll_up():
            pass

    _with_store(path, fill)
    return path


def _with_store(path: Path, work: object) -> object:
    async def run() -> object:
        store = both(SQLiteStore(f"sqlite+aiosqlite:///{path}"))
        await store.open()
        try:
            return await work(store)  # type: ignore[operator]
        finally:
            await store.close()

    return anyio.run(run)


def test_a_user_is_gone_from_every_table(file: Path, run: Run) -> None:
    connection = sqlite3.connect(file)
    frequent = connection.execute("SELECT 1 FROM miharu_frequent WHERE user_id = ?", (ADA,)).fetchall()
    assert frequent  # else this would not test the sums of a user's own
    assert sum(_rows_with(connection, ADA).values()) > 1000
    connection.close()
    done = run("prune", "--user", ADA, "--yes", "--database", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(
        f"600 calls of user {ADA} forgotten, with 600 contents, 60 spans and 24 scores."
    )
    assert "Counters over all calls" in done.stdout
    connection = sqlite3.connect(file)
    assert _rows_with(connection, ADA) == {}
    assert _rows_with(connection, SAID) == {}
    connection.close()
    assert {call.user_id for call in read_back(file)} == {BOB, None}


def _rows_with(connection: sqlite3.Connection, name: str) -> dict[str, int]:
    """In how many rows of which tables the text stands."""
    found = {}
    for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        rows = connection.execute(f"SELECT * FROM {table}")
        number = sum(any(isinstance(value, str) and name in value for value in row) for row in rows)
        if number:
            found[table] = number
    return found


def test_the_text_is_gone_from_the_bytes_of_the_file(file: Path, run: Run) -> None:
    assert set(holding(file, [ADA, SAID])) == {ADA, SAID}
    done = run("prune", "--user", ADA, "--yes", "--vacuum", "--database", str(file))
    assert done.returncode == 0
    assert "still stands" not in done.stdout
    for path in file.parent.glob("calls.db*"):
        content = path.read_bytes()
        assert ADA.encode() not in content, path
        assert SAID.encode() not in content, path
    assert BOB.encode() in file.read_bytes()


def test_sums_are_those_of_the_calls_that_are_left(file: Path, run: Run) -> None:
    for more in ((), ("--vacuum",)):
        who = (ADA, BOB)[len(more)]
        assert run("prune", "--user", who, "--yes", *more, "--database", str(file)).returncode == 0

        async def compare(store: OpenStore) -> None:
            everything = Query(start=0, end=2**62)
            for rolled in range(2):
                calls = await store.calls(everything, limit=100_000)
                totals = await store.totals(everything)
                assert totals.calls == len(calls), rolled
                assert totals.cost_nanousd == sum(call.cost.cost_nanousd for call in calls if call.cost)
                users = {group.key: group.totals.calls for group in await store.groups(everything, "user_id")}
                expected: dict[str | None, int] = {}
                for call in calls:
                    expected[call.user_id] = expected.get(call.user_id, 0) + 1
                assert users == expected
                assert sum(one.totals.calls for one in (await store.counters()).sums) == 1200 + 2500
                while await store.roll_up():
                    pass

        _with_store(file, compare)


def test_what_was_overwritten_is_looked_for(file: Path, run: Run) -> None:
    """Without --vacuum it says where the name still stands, if it does, and what to do."""
    done = run("prune", "--user", ADA, "--yes", "--database", str(file))
    assert ("still stands" in done.stdout) == (ADA.encode() in file.read_bytes())
    assert "add --vacuum" in done.stdout
    (file.parent / "calls.db.backup").write_bytes(b"\0" * 70 + BOB.encode())
    done = run("prune", "--user", BOB, "--yes", "--vacuum", "--database", str(file))
    assert f"“{BOB}” still stands in calls.db.backup: in what others have said" in done.stdout


def test_a_session_is_forgotten_and_its_user_stays(file: Path, run: Run) -> None:
    session = f"session-of-{ADA}-2"
    done = run("prune", "--session", session, "--session", "none", "--yes", "--database", str(file))
    assert done.stdout.startswith(f"40 calls of session {session} and session none forgotten")
    left = read_back(file)
    assert len([call for call in left if call.user_id == ADA]) == 560
    assert session not in {call.session_id for call in left}


def test_it_asks_first(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    assert main(["prune", "--user", ADA, "--database", str(file)]) == 1
    said = capsys.readouterr().out
    assert f"Forget all of user {ADA} in" in said
    assert "600 calls, and what belongs to them. Go on? [y/N]" in said
    assert len([call for call in read_back(file) if call.user_id == ADA]) == 600


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((), "what is to be forgotten?"),
        (("--user", "a", "--before", "90d"), "forget everything of theirs"),
        (("--session", "a", "--content-only"), "forget everything of theirs"),
        (("--user", ""), "an empty id"),
        (("--before", "90d", "--vacuum"), "--vacuum goes with"),
    ],
)
def test_what_cannot_be_meant_is_refused(file: Path, run: Run, arguments: tuple[str, ...], why: str) -> None:
    done = run("prune", *arguments, "--yes", "--database", str(file))
    assert done.returncode == 2
    assert why in " ".join(done.stderr.split())
    assert len(read_back(file)) == 3700


def test_all_tables_that_are_kept_by_user_are_among_the_sums() -> None:
    """A table of sums by another name of that column would not be looked through."""
    assert any("user_id" in rollup.keys for rollup in ROLLUPS)
    assert not [rollup.name for rollup in ROLLUPS if {"user", "session_id", "trace_id"} & {*rollup.keys}]
