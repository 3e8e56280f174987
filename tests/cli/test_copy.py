"""``miharu copy``, between files; ``tests/stores/postgres/test_copying.py`` has a server on one side."""

import random
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import pytest

from miharu.batch import Batch, Marker, Score, Span
from miharu.call import Body, Call, Usage, new_id
from miharu.cli import main
from miharu.errors import StoreError
from miharu.stores import copying
from miharu.stores.sql import order
from miharu.stores.sqlite import writing
from miharu.stores.sqlite.rows import rows_of
from miharu.testing.store_contract import NOON, make_call
from tests.dashboard.memory import MemoryStore

from .conftest import Run, read_back, stored

DAY = 86_400_000


@pytest.fixture
def calls() -> list[Call]:
    body = Body(request=b"asked", response=b"said")
    return [make_call(timestamp=NOON + n * DAY // 7, body=body if n % 2 else None) for n in range(50)]


@pytest.fixture
def source(tmp_path: Path, calls: list[Call]) -> Path:
    return stored(tmp_path / "source.db", *calls)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "target.db"


def copy(source: Path | str, target: Path | str, *more: str) -> int:
    return main(["copy", "--from", str(source), "--to", str(target), *more])


def rows(file: Path) -> dict[str, list[tuple[Any, ...]]]:
    tables = ("llm_calls", "llm_bodies", "llm_spans", "llm_scores", "llm_markers")
    with closing(sqlite3.connect(file)) as connection:
        return {table: sorted(connection.execute(f"SELECT * FROM {table}"), key=repr) for table in tables}


def add(file: Path, batch: Batch) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        writing.add(connection, rows_of(batch))
        connection.execute("COMMIT")


def test_everything_is_copied_and_compared(source: Path, target: Path, calls: list[Call], run: Run) -> None:
    span = Span(id="1" * 16, trace_id="2" * 32, name="step", timestamp=NOON, duration_ms=1, status="success")
    score = Score(id=new_id(NOON), timestamp=NOON, name="thumb", value=1, call_id=calls[0].id)
    marker = Marker(id="m1", timestamp=NOON, name="deploy 1.4", tags={"by": "ci"})
    add(source, Batch(spans=[span], scores=[score], markers=[marker]))
    done = run("copy", "--from", str(source), "--to", str(target))
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split() for line in done.stdout.splitlines()[1:5]] == [
        ["calls", "50", "50", "0", "50"],
        ["spans", "1", "1", "0", "1"],
        ["scores", "1", "1", "0", "1"],
        ["markers", "1", "1", "0", "1"],
    ]
    assert "the same sums of tokens and cost" in done.stdout
    assert rows(target) == rows(source)


def test_a_copy_that_was_ended_goes_on(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(copying, "_COPIED_AT_ONCE", 10)
    monkeypatch.setattr(copying, "_COMPARED_AT_ONCE", 7)
    added: list[int] = []
    whole = writing.add

    def ended(*args: Any, **kwargs: Any) -> int:
        if len(added) == 3:
            raise KeyboardInterrupt
        added.append(whole(*args, **kwargs))
        return added[-1]

    with monkeypatch.context() as while_it_runs:
        while_it_runs.setattr(writing, "add", ended)
        assert copy(source, target) == 130
    assert added == [10, 10, 10]

    def counted(*args: Any, **kwargs: Any) -> int:
        added.append(whole(*args, **kwargs))
        return added[-1]

    monkeypatch.setattr(writing, "add", counted)
    assert copy(source, target) == 0
    assert added == [10, 10, 10, 10, 10]  # what was there was not even read again
    said = capsys.readouterr().out
    assert [line.split() for line in said.splitlines() if line.split()[:1] == ["calls"]] == [
        ["calls", "50", "20", "30", "50"]
    ]
    assert rows(target) == rows(source)
    assert copy(source, target) == 0
    assert added == [10] * 5
    assert rows(target) == rows(source)


def test_what_is_missing_in_the_middle_is_copied_too(source: Path, target: Path) -> None:
    assert copy(source, target) == 0
    with closing(sqlite3.connect(target)) as connection, connection:
        connection.execute("DELETE FROM llm_calls WHERE rowid IN (20, 30)")
    assert copy(source, target) == 0
    assert rows(target) == rows(source)


def test_calls_of_others_are_not_mixed_in_unasked(
    source: Path, tmp_path: Path, calls: list[Call], capsys: pytest.CaptureFixture[str]
) -> None:
    others = [make_call(timestamp=NOON + n) for n in (-5, 3 * DAY)]
    target = stored(tmp_path / "target.db", *others, *calls[:4])
    before = rows(target)
    assert copy(source, target) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "target.db has 2 calls that the source does not have" in said
    assert "pass --merge" in said
    assert rows(target) == before
    assert copy(source, target, "--merge") == 0
    assert {call.id for call in read_back(target)} == {call.id for call in [*others, *calls]}
    assert "has other calls too" in capsys.readouterr().out
    assert copy(source, target, "--merge") == 0
    assert len(read_back(target)) == len(others) + len(calls)


def test_what_is_recorded_meanwhile_is_said(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = copying.copy

    async def meanwhile(*args: Any) -> None:
        await whole(*args)
        if args[2] == "calls":
            add(source, Batch(calls=[make_call(timestamp=NOON)]))

    with monkeypatch.context() as while_it_runs:
        while_it_runs.setattr(copying, "copy", meanwhile)
        assert copy(source, target) == 1
    assert "The target lacks 1 calls" in capsys.readouterr().out
    assert copy(source, target) == 0


def test_a_background_call_that_has_ended_since_is_completed(
    source: Path, target: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    began = make_call(timestamp=NOON, response_id="resp_1", cost=None, usage=Usage(usage_source="none"))
    add(source, Batch(calls=[began, make_call(timestamp=NOON, response_id="resp_2", usage=Usage())]))
    assert copy(source, target) == 0
    assert copy(source, target) == 0
    add(source, Batch(calls=[make_call(timestamp=NOON, response_id="resp_1", completes=True)]))
    capsys.readouterr()
    assert copy(source, target) == 0
    assert "the same sums of tokens and cost" in capsys.readouterr().out
    assert rows(target) == rows(source)
    [ended] = [call for call in read_back(target) if call.response_id == "resp_1"]
    assert (ended.id, ended.usage.usage_source) == (began.id, "provider")


def test_a_call_that_was_copied_open_is_completed_where_it_is_now(source: Path, target: Path) -> None:
    began = make_call(timestamp=NOON, response_id="resp_1", cost=None, usage=Usage(usage_source="none"))
    add(source, Batch(calls=[began]))
    assert copy(source, target) == 0
    add(target, Batch(calls=[make_call(timestamp=NOON, response_id="resp_1", completes=True)]))
    [ended] = [call for call in read_back(target) if call.response_id == "resp_1"]
    assert (ended.id, ended.usage.usage_source) == (began.id, "provider")


def test_a_copy_that_is_killed_again_and_again_goes_on(tmp_path: Path, target: Path) -> None:
    source = stored(tmp_path / "many.db", *[make_call(timestamp=NOON + n) for n in range(3000)])
    command = [sys.executable, "-m", "miharu", "copy", "--from", str(source), "--to", str(target)]
    kills = 0
    while there(target) < 3000:
        before = there(target)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and (now := there(target)) <= before:
            pass
        process.kill()
        process.wait()
        kills += 1
        assert now > before
    assert kills > 1
    assert copy(source, target) == 0
    assert rows(target) == rows(source)


def there(file: Path) -> int:
    """Calls that another process has stored."""
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            found: int = connection.execute("SELECT count(*) FROM llm_calls").fetchone()[0]
            return found
    except sqlite3.OperationalError:  # not yet
        return 0


def test_a_damaged_source_is_left_alone(
    tmp_path: Path, target: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = stored(tmp_path / "many.db", *[make_call(timestamp=NOON + n) for n in range(2000)])
    with closing(sqlite3.connect(source)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = source.read_bytes()
    third = len(whole) // 3
    source.write_bytes(whole[:third] + bytes(40_000) + whole[third + 40_000 :])
    damaged = source.read_bytes()
    assert copy(source, target) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "many.db is damaged" in said
    assert "miharu doctor --repair" in said
    assert source.read_bytes() == damaged


def test_sums_that_differ_are_said(source: Path, target: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert copy(source, target) == 0
    with closing(sqlite3.connect(target)) as connection, connection:
        connection.execute("UPDATE llm_calls SET cost_nanousd = 7 WHERE rowid = 1")
    assert copy(source, target) == 1
    assert "cost_nanousd 50,000 and 49,007" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("there", "given", "says"),
    [
        ("nothing.db", "target.db", "nothing to copy in .*nothing.db. Name the database .* --from"),
        ("source.db", "source.db", "--from and --to are both .*source.db: name two"),
        ("source.db", ":memory:", "--to is .*where nothing stays: name a file"),
        (":memory:", "target.db", "--from is .*where nothing stays: name a file"),
        ("source.db", "mysql://x", "(?i)mysql"),
        ("source.db", "text.db", "text.db is not a SQLite database"),
        ("text.db", "target.db", "text.db is not a SQLite database"),
    ],
)
@pytest.mark.usefixtures("source")
def test_what_cannot_be_is_refused_with_a_remedy(
    there: str, given: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text.db").write_text("some text that is no database")
    one, other = (name if ":" in name else tmp_path / name for name in (there, given))
    assert copy(one, other) == 2
    assert re.search(says, " ".join(capsys.readouterr().err.split()))
    assert not (tmp_path / "target.db").exists()


def test_large_bodies_come_a_few_at_a_time(
    tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(1)
    calls = [
        make_call(timestamp=NOON + n, body=Body(request=rng.randbytes(size), response=None))
        for n, size in enumerate((10, 900, 900, 900, 5000, 10, 10))
    ]
    source = stored(tmp_path / "source.db", *calls)
    sizes: list[int] = []
    whole = writing.add

    def counted(*args: Any, **kwargs: Any) -> int:
        sizes.append(len(kwargs["rows"].calls))
        return whole(*args, **kwargs)

    monkeypatch.setattr(order, "PACKED", 2000)
    monkeypatch.setattr(writing, "add", counted)
    assert copy(source, target) == 0
    assert sizes == [3, 1, 1, 2]
    assert rows(target) == rows(source)
    monkeypatch.setattr(order, "PACKED", 1 << 20)
    monkeypatch.setattr(order, "UNPACKED", 1000)  # as if the bodies were packed much smaller
    sizes.clear()
    target.unlink()
    assert copy(source, target) == 0
    assert sizes == [3, 2, 2]


def test_a_store_that_cannot_be_read_in_order_is_named(source: Path, target: Path) -> None:
    older: Any = object()

    with pytest.raises(StoreError, match=r"Questions\.places\(\).*Upgrade the plug-in"):
        anyio.run(copying.compare, older, older, "calls", lambda *_: None)


@pytest.mark.parametrize("there", [0, 3, 50])
async def test_few_questions_compare_many_calls(there: int, calls: list[Call]) -> None:
    class Asked(MemoryStore):
        questions = 0

        async def places(self, *args: Any) -> Any:
            self.questions += 1
            return await super().places(*args)

    source, target = Asked(calls), Asked(calls[:there])
    found = await copying.compare(source, target, "calls", lambda *_: None)
    assert (found.source, found.target, found.shared) == (50, there, there)
    assert source.questions == 2
    assert target.questions == (2 if there else 1)


def test_a_release_that_both_have_seen_keeps_one_marker(
    source: Path, target: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its id is the same in both, and the moments of its first call are not."""
    assert copy(source, target) == 0
    for file, at in ((source, NOON), (target, NOON + 9)):
        marker = Marker(id="release-1", timestamp=at, name="1.4", kind="release")
        add(file, Batch(markers=[marker]))
    capsys.readouterr()
    assert copy(source, target, "--merge") == 0
    assert [row[1] for row in rows(target)["llm_markers"]] == [NOON + 9]
