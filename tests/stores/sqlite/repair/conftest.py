"""A file as the store writes it, with bodies, spans and scores."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import anyio
import pytest

from miharu.batch import Batch, Marker, Score, Span
from miharu.call import Body, Call, new_id
from miharu.stores.sqlite import SQLiteStore
from miharu.testing.open_store import both
from miharu.testing.store_contract import ALL, NOON, make_call

CALLS = 3000
AT_ONCE = 250


@dataclass(frozen=True)
class Written:
    """The file and what is in it."""

    path: Path
    calls: tuple[Call, ...]
    spans: tuple[Span, ...]
    scores: tuple[Score, ...]


def url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


def write(path: Path, batch: Batch) -> None:
    async def add() -> None:
        store = both(SQLiteStore(url(path)))
        await store.open()
        for start in range(0, max(1, len(batch.calls)), AT_ONCE):
            part = batch.calls[start : start + AT_ONCE]
            await store.add(Batch(calls=part) if start else replace(batch, calls=part))
        await store.close()

    anyio.run(add)


def read(path: Path) -> list[Call]:
    """Its calls, without their bodies."""

    async def calls() -> list[Call]:
        store = both(SQLiteStore(url(path), read_only=True))
        await store.open()
        found = await store.calls(ALL, limit=10**6)
        await store.close()
        return list(found[::-1])

    return anyio.run(calls)


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Written:
    calls = tuple(
        make_call(
            timestamp=NOON + number,
            model=f"m{number % 7}",
            tags={"number": str(number)},
            body=Body(request=b"%d " % number * 200, response=None) if number % 10 == 0 else None,
        )
        for number in range(CALLS)
    )
    spans = tuple(
        Span(id=f"{n:016x}", trace_id=f"{n:032x}", name="s", timestamp=NOON, duration_ms=1, status="success")
        for n in range(20)
    )
    scores = tuple(Score(id=new_id(NOON), timestamp=NOON, name="thumb", value=0.5) for _ in range(20))
    path = tmp_path_factory.mktemp("original") / "calls.db"
    write(path, Batch(calls=calls, spans=spans, scores=scores))
    write(path, Batch(markers=[Marker(id=f"m{n}", timestamp=NOON + n, name="deploy") for n in range(20)]))
    return Written(path, calls, spans, scores)


@pytest.fixture
def written(original: Written, tmp_path: Path) -> Written:
    """A copy that may be damaged."""
    path = tmp_path / "calls.db"
    for part in ("", ".layout"):
        shutil.copy(f"{original.path}{part}", f"{path}{part}")
    return Written(path, original.calls, original.spans, original.scores)


Damage = Callable[[bytes], bytes]
PAGE = 4096


def zeroed(pages: range) -> Damage:
    return lambda data: b"".join(
        bytes(PAGE) if number in pages else data[number * PAGE : (number + 1) * PAGE]
        for number in range(len(data) // PAGE)
    )


def damage(path: Path, how: Damage) -> None:
    path.write_bytes(how(path.read_bytes()))
