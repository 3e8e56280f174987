"""``miharu copy`` from a file to a server and back: what comes back is what was there."""

import random
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from miharu.batch import Batch, Marker, Score, Span
from miharu.call import Body, new_id
from miharu.cli import main
from miharu.stores import copying
from miharu.stores.postgres import PostgresStore, writing
from miharu.stores.rollups import DAY
from miharu.stores.sqlite import SQLiteStore
from miharu.testing.open_store import OpenStore, both
from miharu.testing.store_contract import make_call
from tests.stores.postgres.server import Server
from tests.stores.test_rollups import NOW, some_call

TABLES = ("llm_calls", "llm_bodies", "llm_spans", "llm_scores", "llm_markers")


def rows(file: Path) -> dict[str, list[tuple[Any, ...]]]:
    with closing(sqlite3.connect(file)) as connection:
        return {table: sorted(connection.execute(f"SELECT * FROM {table}"), key=repr) for table in TABLES}


def a_bit_of_everything() -> Batch:
    rng = random.Random(7)
    calls = [some_call(rng) for _ in range(400)]
    bodies = [Body(request=rng.randbytes(900), response=b"r") for _ in range(60)]
    bodied = [make_call(timestamp=NOW - rng.randrange(90 * DAY), body=body) for body in bodies]
    far = [make_call(timestamp=moment) for moment in (5, 4_200_000_000_000)]  # clocks that are wrong
    spans = [
        Span(
            id=f"{number:016x}",
            trace_id=f"{number // 3:032x}",
            name="step",
            timestamp=NOW - number * DAY,
            duration_ms=number,
            status="error",
            error_type="E",
            tags={"a": "ä"},
        )
        for number in range(40)
    ]
    scores = [
        Score(id=new_id(NOW - n), timestamp=NOW - n, name="grade", value=n / 7, call_id=calls[n].id)
        for n in range(40)
    ]
    markers = [Marker(id=f"m{n}", timestamp=NOW - n, name="deploy", tags={"a": "ä"}) for n in range(40)]
    return Batch(calls=[*calls, *bodied, *far], spans=spans, scores=scores, markers=markers)


@pytest.fixture
async def file(database_file: Path) -> Path:
    store = both(SQLiteStore(f"sqlite+aiosqlite:///{database_file}"))
    await store.open()
    await store.add(a_bit_of_everything())
    await store.close()
    return database_file


@pytest.fixture
def database_file(tmp_path: Path) -> Path:
    return tmp_path / "source.db"


async def copy(source: Path | str, target: Path | str, *more: str) -> int:
    command = ["copy", "--from", str(source), "--to", str(target), *more]
    return await anyio.to_thread.run_sync(partial(main, command))


async def opened(url: str) -> OpenStore:
    store = both(PostgresStore(url, read_only=True))
    await store.open()
    return store


async def test_there_and_back_again(
    file: Path, postgres: Server, database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await copy(file, postgres.url(database)) == 0
    assert "the same sums of tokens and cost" in capsys.readouterr().out
    assert await copy(postgres.url(database), tmp_path / "back.db") == 0
    assert rows(tmp_path / "back.db") == rows(file)
    assert await copy(file, tmp_path / "back.db") == 0


async def test_from_server_to_server(file: Path, postgres: Server, database: str) -> None:
    other = postgres.url(await postgres.new_database())
    assert await copy(file, postgres.url(database)) == 0
    assert await copy(postgres.url(database), other) == 0
    one, two = await opened(postgres.url(database)), await opened(other)
    assert await one.batch("calls", None, 1000) == await two.batch("calls", None, 1000)
    await one.close()
    await two.close()


async def test_a_copy_that_failed_goes_on(
    file: Path, postgres: Server, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "_COPIED_AT_ONCE", 50)
    added: list[int] = []
    whole = writing.add

    def counted(*args: Any, **kwargs: Any) -> int:
        added.append(whole(*args, **kwargs))
        return added[-1]

    def ended(*args: Any, **kwargs: Any) -> int:
        if len(added) == 4:
            raise KeyboardInterrupt
        return counted(*args, **kwargs)

    with monkeypatch.context() as while_it_runs:
        while_it_runs.setattr(writing, "add", ended)
        assert await copy(file, postgres.url(database)) == 130
    assert sum(added) == 200
    monkeypatch.setattr(writing, "add", counted)
    assert await copy(file, postgres.url(database)) == 0
    assert sum(added) == 462
    store = await opened(postgres.url(database))
    assert len(await store.places("calls")) == 462
    assert len(await store.places("spans")) == 40
    await store.close()


async def test_calls_of_others_are_not_mixed_in_unasked(
    file: Path, postgres: Server, database: str, store: OpenStore, capsys: pytest.CaptureFixture[str]
) -> None:
    await store.add(Batch(calls=[make_call(timestamp=NOW)]))
    assert await copy(file, postgres.url(database)) == 2
    assert "pass --merge" in " ".join(capsys.readouterr().err.split())
    assert len(await store.places("calls")) == 1
    assert await copy(file, postgres.url(database), "--merge") == 0
    assert len(await store.places("calls")) == 463


async def test_no_password_is_shown(
    file: Path, postgres: Server, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await copy(file, "postgresql://ann:verysecret@127.0.0.1:1/none")
    said = capsys.readouterr()
    assert "verysecret" not in said.out + said.err
    assert said.err
