"""A ledger over a real store, with a clock that a test turns."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

import anyio
import anyio.from_thread

from miharu._budget import Budget, BudgetState
from miharu.batch import Batch
from miharu.call import Call, Cost
from miharu.errors import StoreError
from miharu.recorder.budgets import Caller, Ledger
from miharu.recorder.budgets.ledger import Look
from miharu.stores.base import Query
from miharu.stores.sqlite import SQLiteStore
from miharu.stores.sqlite.questions import SQLiteQuestions
from miharu.testing.store_contract import make_call

T = TypeVar("T")

USD = 10**9
MORNING = round(datetime(2026, 11, 25, 10, 30, tzinfo=UTC).timestamp() * 1000)
HOUR = 3_600_000
MEMORY = "sqlite+aiosqlite:///:memory:"


class Counting(SQLiteQuestions):
    """It counts what it is asked, and refuses when a test says so."""

    def __init__(self, url: str = MEMORY) -> None:
        store = SQLiteStore(url, clock=lambda: MORNING)
        asked = store.questions()
        super().__init__(asked._readers, asked._path)
        self.writer = store.writer()
        self.asked: list[Query] = []
        self.refuses = False

    async def open(self) -> None:
        self.writer.open()
        await super().open()

    async def add(self, batch: Batch) -> int:
        return self.writer.add(batch)

    async def close(self) -> None:
        await super().close()
        self.writer.close()

    async def totals(self, query: Query) -> Any:
        self._note(query)
        return await super().totals(query)

    async def groups(self, query: Query, *args: Any, **kwargs: Any) -> Any:
        self._note(query)
        return await super().groups(query, *args, **kwargs)

    async def series(self, query: Query, *args: Any, **kwargs: Any) -> Any:
        self._note(query)
        return await super().series(query, *args, **kwargs)

    def _note(self, query: Query) -> None:
        if self.refuses:
            raise StoreError("The store refuses.")
        self.asked.append(query)


@dataclass
class Told:
    """Alarms that only remember."""

    states: list[BudgetState] = field(default_factory=list)

    def tell(self, budget: Budget, state: BudgetState) -> None:
        self.states.append(state)

    def after_fork(self) -> None: ...

    def close(self) -> None: ...


class Desk:
    """What a recorder has on it."""

    def __init__(self, *budgets: Budget, store: Counting | None = None, at: int = MORNING) -> None:
        self.at = at
        self.seconds = 0.0
        self.told = Told()
        self.store = store or Counting()
        self.ledger = Ledger(
            budgets,
            self.told,  # type: ignore[arg-type]
            clock=lambda: self.at,
            timer=lambda: self.seconds,
        )

    def call(self, usd: float | None = 1.0, **facts: Any) -> Call:
        cost = None if usd is None else Cost(cost_nanousd=round(usd * USD), cost_source="test")
        return make_call(**({"timestamp": self.at, "cost": cost} | facts))

    def spend(self, usd: float | None = 1.0, **facts: Any) -> Call:
        """A call that was read just now."""
        call = self.call(usd, **facts)
        self.ledger.charge(call)
        return call

    async def store_away(self, *calls: Call) -> None:
        await self.store.add(Batch(calls=calls))

    async def refresh(self, after: float = 10.0, *, at_once: bool = False) -> None:
        self.seconds += after

        def ask(look: Look[T]) -> T:
            asked: T = anyio.from_thread.run(look, self.store)  # type: ignore[arg-type]
            return asked

        await anyio.to_thread.run_sync(partial(self.ledger.refresh, ask, at_once=at_once))

    @property
    def spent(self) -> list[tuple[str | None, float, int]]:
        return [(state.key, state.spent_usd, state.unpriced) for state in self.ledger.states]

    def refuses(self, **whose: Any) -> bool:
        from miharu.errors import BudgetExceeded

        try:
            self.ledger.refusals.admit(lambda: Caller(**whose))
        except BudgetExceeded:
            return True
        return False
