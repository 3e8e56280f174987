"""A store that refuses, waits or breaks when a test says so; else it is the real one."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio

from miharu import providers
from miharu.batch import Batch
from miharu.call import Call
from miharu.config import resolve_database
from miharu.errors import StoreError
from miharu.plugins import load
from miharu.recorder.pipeline import Outlet, Pipeline
from miharu.recorder.queue import ExchangeQueue
from miharu.recorder.reader import Reader
from miharu.recorder.spool import Spool
from miharu.recorder.tally import Tally
from miharu.stores.sqlite import SQLiteStore
from tests.world import HandMade, exchange

FORMATS = [provider() for _, provider in load(providers.BUILT_IN)]
ANSWER = {
    "object": "chat.completion",
    "model": "gpt-4o",
    "choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 5},
}


def answered(model: str = "gpt-4o", size: int = 0) -> HandMade:
    return exchange(body=ANSWER | {"model": model, "id": "x" * size}, asked={"model": model})


class Moody(SQLiteStore):
    """SQLite, in this or that mood."""

    refuses: bool = False
    breaks: Any = None
    """A model that cannot be stored."""
    gate: anyio.Event | None = None
    """What ``add`` waits for, when it is slow."""

    async def add(self, batch: Batch) -> int:
        if self.gate is not None:
            await self.gate.wait()
        if self.refuses:
            raise StoreError("The store refuses.")
        if self.breaks is not None and any(call.model == self.breaks for call in batch.calls):
            raise ValueError("unstorable")
        return await super().add(batch)


@dataclass
class Bench:
    """A pipeline with everything around it."""

    folder: Path
    queue: ExchangeQueue = field(default_factory=lambda: ExchangeQueue(max_items=20))
    tally: Tally = field(default_factory=Tally)
    exported: list[Call] = field(default_factory=list)
    capture_content: bool = False
    spool_bytes: int = 1 << 20

    def __post_init__(self) -> None:
        self.spool = Spool(self.folder / "calls.db.spool-", self.spool_bytes)
        self.store = Moody(resolve_database(self.folder / "calls.db"))
        self.pipeline = self.another()

    def another(self) -> Pipeline:
        reader = Reader(FORMATS, capture_content=self.capture_content)
        return Pipeline(self.queue, self.spool, self.tally, reader)

    async def open(self) -> None:
        await self.pipeline.open(Outlet(lambda: self.store, None, [self]))

    async def export(self, batch: Batch) -> None:
        self.exported += batch.calls

    async def close(self) -> None: ...

    @property
    def models(self) -> list[str]:
        """Of what is stored, in the order in which it was."""
        with closing(sqlite3.connect(self.folder / "calls.db")) as database:
            return [row[0] for row in database.execute("SELECT model FROM llm_calls ORDER BY rowid")]

    def id_of(self, model: str) -> str:
        with closing(sqlite3.connect(self.folder / "calls.db")) as database:
            [(found,)] = database.execute("SELECT id FROM llm_calls WHERE model = ? LIMIT 1", (model,))
        return str(found)

    @property
    def spools(self) -> list[Path]:
        return sorted(self.folder.glob("calls.db.spool-*"))
