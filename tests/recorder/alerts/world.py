"""Watches over a real store, with clocks that a test turns."""

import math
from functools import partial
from typing import Any, TypeVar

import anyio
import anyio.from_thread

from miharu._alert import Alert, AlertChange
from miharu.batch import Batch, Marker, Score
from miharu.call import Cost, Outcome, new_id
from miharu.errors import StoreError
from miharu.recorder.alerts import Watch
from miharu.recorder.budgets.ledger import Look
from miharu.stores.base import Questions
from miharu.testing.store_contract import make_call
from tests.recorder.budgets.world import MORNING, Counting

T = TypeVar("T")
MINUTE = 60_000


class World:
    """One store, a clock on the wall and one that only goes on, and processes that look at alerts."""

    def __init__(self, store: Counting) -> None:
        self.store = store
        self.at = MORNING
        self.seconds = 0.0
        self.away = False
        self.asked = 0

    def pass_by(self, seconds: float) -> None:
        self.at += round(seconds * 1000)
        self.seconds += seconds

    async def calls(self, number: int, *, failed: int = 0, usd: float = 0.0, **facts: Any) -> None:
        cost = Cost(cost_nanousd=round(usd * 10**9), cost_source="test")
        plain = {"timestamp": self.at, "cost": cost}
        error = Outcome(status="error", error_type="timeout")
        calls = [
            make_call(**(plain | ({"outcome": error} if i < failed else {}) | facts)) for i in range(number)
        ]
        await self.store.add(Batch(calls=calls))

    async def score(self, *values: float, name: str = "helpful") -> None:
        scores = [Score(id=new_id(self.at), timestamp=self.at, name=name, value=value) for value in values]
        await self.store.add(Batch(scores=scores))

    async def markers(self) -> list[str]:
        found = await self.store.markers(0, 2**62)
        return [marker.kind for marker in reversed(found)]


class Process:
    """What one recorder has of the alerts."""

    def __init__(self, world: World, *alerts: Alert) -> None:
        self.world = world
        self.left: list[Marker] = []
        self.told: list[AlertChange] = []
        self.watch = Watch(
            alerts,
            self.left.append,
            self,
            clock=lambda: world.at,
            timer=lambda: world.seconds,
        )

    def tell(self, alert: Alert, change: AlertChange) -> None:
        assert alert.name == change.name
        self.told.append(change)

    def after_fork(self) -> None: ...

    def close(self) -> None: ...

    async def look(self, *, at_once: bool = False) -> None:
        """One turn of the recorder: what was left is stored, then the alerts are looked at, if it is time."""

        async def counted(look: Look[T], store: Questions) -> T:
            self.world.asked += 1
            if self.world.away:
                raise StoreError("The store is away.")
            return await look(store)

        def ask(look: Look[T]) -> T:
            asked: T = anyio.from_thread.run(partial(counted, look), self.world.store)
            return asked

        if not self.world.away:
            await self.store_left()
        await anyio.to_thread.run_sync(partial(self.watch.refresh, ask, at_once=at_once))

    async def store_left(self) -> None:
        if self.left:
            await self.world.store.add(Batch(markers=self.left))
            self.left.clear()

    async def settle(self) -> None:
        """Look until nothing is left to be told."""
        for _ in range(3):
            self.world.pass_by(31)
            await self.look()
            self.world.pass_by(1.5)
            await self.look()

    @property
    def said(self) -> list[str]:
        return [change.state for change in self.told]

    @property
    def firing(self) -> list[str]:
        return [state.alert.name for state in self.watch.states if state.is_firing]


def near(one: float | None, other: float) -> bool:
    return one is not None and math.isclose(one, other, rel_tol=0.03)
