"""A writer that refuses, waits or breaks when a test says so; else it is the real one."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from miharu import providers
from miharu.batch import Batch
from miharu.call import Call
from miharu.config import resolve_database
from miharu.errors import StoreError
from miharu.plugins import load
from miharu.pricing.base import Prices
from miharu.recorder.costing.pricer import Pricer
from miharu.recorder.counters import Counters
from miharu.recorder.pipeline import Pipeline
from miharu.recorder.queue import ExchangeQueue
from miharu.recorder.reading.reader import Reader
from miharu.recorder.spool import Spool
from miharu.stores.sqlite import SQLiteStore
from miharu.stores.sqlite.writer import SQLiteWriter
from tests.recorder.answer import ANSWER
from tests.world import HandMade, exchange

FORMATS = [provider() for _, provider in load(providers.BUILT_IN)]


def answered(model: str = "gpt-4o", size: int = 0) -> HandMade:
    return exchange(body=ANSWER | {"model": model, "id": "x" * size}, asked={"model": model})


class Moody(SQLiteWriter):
    """SQLite, in this or that mood."""

    refuses: bool = False
    breaks: Any = None
    """A model that cannot be stored."""
    slowly: Callable[[], object] | None = None
    """What is done while ``add`` waits, when it is slow."""

    def add(self, batch: Batch) -> int:
        slowly, self.slowly = self.slowly, None
        if slowly is not None:
            slowly()
        if self.refuses:
            raise StoreError("The store refuses.")
        if self.breaks is not None and any(call.model == self.breaks for call in batch.calls):
            raise ValueError("unstorable")
        return super().add(batch)


@dataclass
class Bench:
    """A pipeline with everything around it."""

    folder: Path
    queue: ExchangeQueue = field(default_factory=lambda: ExchangeQueue(max_items=20))
    counters: Counters = field(default_factory=Counters)
    exported: list[Call] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)
    capture_content: bool = False
    spool_bytes: int = 1 << 20
    has_prices: bool = True
    meanwhile: Callable[[], object] = bool
    """What the writer does while it waits for others."""

    def __post_init__(self) -> None:
        self.spool = Spool(self.folder / "calls.db.spool-", self.spool_bytes)
        self.store = SQLiteStore(resolve_database(self.folder / "calls.db"))
        self.writer = Moody(self.store.writer(self.wait).database)
        self.pipeline = self.another()
        self.questions = OneAtATime(self.store)

    def another(self, prices: Callable[[], Prices | None] = lambda: None) -> Pipeline:
        reader = Reader(FORMATS, capture_content=self.capture_content)
        pipeline = Pipeline(
            self.queue, self.spool, self.counters, reader, pricer=Pricer(prices), export=self.export
        )
        if self.has_prices:
            pipeline.pricer.need()
        return pipeline

    def wait(self) -> None:
        self.meanwhile()

    def open(self) -> None:
        self.pipeline.open(self.writer)

    def export(self, batch: Batch) -> None:
        self.exported += batch.calls
        self.batches.append(batch)

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


class OneAtATime:
    """Asks the store from a test without a loop."""

    def __init__(self, store: SQLiteStore) -> None:
        self._store = store

    def __call__(self, name: str, *args: Any, **kwargs: Any) -> Any:
        async def ask() -> Any:
            questions = self._store.questions()
            await questions.open()
            try:
                return await getattr(questions, name)(*args, **kwargs)
            finally:
                await questions.close()

        return asyncio.run(ask())
