"""All budgets, kept up to date by the worker."""

import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from miharu._budget import Budget, BudgetState
from miharu._guard import say_once, swallowed
from miharu.call import Call
from miharu.errors import StoreError
from miharu.recorder.budgets.account import NEAR, WHOLE, Account, Spent
from miharu.recorder.budgets.alarms import Alarms
from miharu.recorder.budgets.refusals import Closed, Refusals
from miharu.recorder.budgets.sums import Memo, Sums, sums_for
from miharu.stores.base import Questions

__all__ = ("Ask", "Ledger", "Look")

T = TypeVar("T")

REFRESH_S = (0.25, 2.0)
"""How often the store is asked: while a budget that refuses is nearly used up or quickly spent, and else."""
SHARE = 0.05
"""The share of its time that the worker spends asking, at most."""
LOOK_S = 0.5
"""How old the states that pages show may be."""


Look = Callable[[Questions], Awaitable[T]]
_Answer = tuple[object, list[Mapping[str, Spent]]]
"""A revision, and what each budget's sums are in it; none where it is the one that is known."""


class Ask(Protocol):
    """Puts a question to the store, and waits for the answer."""

    def __call__(self, look: Look[T]) -> T: ...


@dataclass(slots=True)
class _Line:
    """A budget, the way to ask for its sums, and what was logged of it in this period."""

    account: Account
    sums: Sums
    told: set[tuple[str, bool]] = field(default_factory=set)

    @property
    def is_known(self) -> bool:
        return self.account.known is not None and self.sums.is_complete


@dataclass(slots=True)
class _Pace:
    """When the store is asked next."""

    earliest: float = 0.0
    due: float = 0.0
    revision: object = None
    looked: float = 0.0
    is_stale: bool = True
    """Whether something was charged since the last look."""


class Ledger:
    """All budgets. Callers on other threads use only ``refusals`` and ``states``."""

    def __init__(
        self,
        budgets: Iterable[Budget],
        alarms: Alarms | None = None,
        *,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare; nothing is known before the first ``refresh``.

        Args:
            budgets: What calls may cost.
            alarms: What is to happen when one is used up; nothing by default.
            clock: Unix milliseconds.
            timer: Seconds.
        """
        self.refusals = Refusals(clock)
        self.states: Sequence[BudgetState] = ()
        """How the budgets stand, those for each user or route by their most expensive ones."""
        self._alarms = alarms
        self._clock = clock
        self._timer = timer
        now = clock()
        accounts = [Account(budget, now) for budget in budgets]
        self._lines = [_Line(account, sums_for(account.budget, account.column)) for account in accounts]
        self._pace = _Pace()
        self._look()

    def charge(self, call: Call) -> None:
        """Add a call that was read and priced just now and is not stored yet."""
        if not self._lines:
            return
        self._roll()
        for line in self._lines:
            key = line.account.charge(call)
            if key is None:
                continue
            self._pace.is_stale = True
            state = line.account.state(key)
            self._tell(line, key, state)
            if state.exceeded and line.account.budget.refuse:
                self._close()

    def refresh(self, ask: Ask, *, at_once: bool = False) -> None:
        """Ask the store, if it is time and something has changed. A store that fails leaves what was known.

        Args:
            ask: Puts a question to it, and waits for the answer; all of this process's own is stored.
            at_once: Do not wait until it is time.
        """
        began = self._timer()
        if not self._is_time(began, at_once=at_once):
            return
        with self._refreshing(began):
            self._settle(ask(self._look_up))

    async def arefresh(self, store: Questions, *, at_once: bool = False) -> None:
        """The same, for a coroutine that may ask the store itself."""
        began = self._timer()
        if not self._is_time(began, at_once=at_once):
            return
        with self._refreshing(began):
            self._settle(await self._look_up(store))

    def due(self) -> float | None:
        """Seconds until it is time to ask; ``None`` where there are no budgets."""
        return max(0.0, self._pace.due - self._timer()) if self._lines else None

    def after_fork(self) -> None:
        """Go on in a child: what is known still holds, and what the parent has on its way is the parent's."""
        self._pace = _Pace()
        self.refusals.after_fork()
        if self._alarms is not None:
            self._alarms.after_fork()

    def close(self) -> None:
        """Wait for the posts that are on their way."""
        if self._alarms is not None:
            self._alarms.close()

    def _is_time(self, now: float, *, at_once: bool) -> bool:
        if not self._lines:
            return False
        self._roll()
        pace = self._pace
        if at_once or now >= pace.due or (now >= pace.earliest and self._is_in_haste()):
            for line in self._lines:
                line.account.asked()  # what is charged from here on is in no answer
            return True
        if pace.is_stale and now - pace.looked >= LOOK_S:
            self._look()
        return False

    @contextmanager
    def _refreshing(self, began: float) -> Iterator[None]:
        """Around the question; afterwards states are made, and the next time to ask is set."""
        pace = self._pace
        try:
            yield
        except StoreError:
            self._failed()  # the recorder says what is wrong
        except Exception:  # noqa: BLE001 - a budget must not stop the recording
            self._failed()
            swallowed("adding up the budgets")
        self._look()
        ended = self._timer()
        pace.earliest = ended + max(REFRESH_S[0], (ended - began) / SHARE)
        pace.due = max(pace.earliest, ended + REFRESH_S[self._is_calm()])

    async def _look_up(self, store: Questions) -> _Answer:
        """The sums, unless nothing has changed. Other calls are read, and charged, meanwhile."""
        known = self._pace.revision if all(line.is_known for line in self._lines) else None
        revision, memo = await store.revision(), Memo()
        if revision == known:
            return revision, []
        return revision, [
            await line.sums.ask(store, line.account.starts, line.account.ends, self._clock(), memo)
            for line in self._lines
        ]

    def _settle(self, answer: _Answer) -> None:
        self._pace.revision, found = answer
        for line, known in zip(self._lines, found, strict=False):
            line.account.settle(known)

    def _failed(self) -> None:
        """Note that the store failed. Until it answers in this period, spending is unknown, not zero."""
        self._pace.revision = None
        for line in self._lines:
            account = line.account
            account.failed += 1
            if account.is_unread:
                follows = (
                    "its calls are refused" if account.budget.refuse else "only this process's own count"
                )
                say_once("%s; until it can, %s.", account.state(WHOLE), follows)

    def _is_calm(self) -> bool:
        """Whether no call is about to be refused, and all is known."""
        return all(
            line.is_known and not (line.account.budget.refuse and any(True for _ in line.account.near()))
            for line in self._lines
        )

    def _is_in_haste(self) -> bool:
        """Whether others may be spending fast, as this process is."""
        return any(line.account.budget.refuse and line.account.is_going for line in self._lines)

    def _roll(self) -> None:
        """Start the accounts of periods that have begun."""
        now = self._clock()
        over = [line for line in self._lines if now >= line.account.ends]
        for line in over:
            line.account.roll(now)
            line.told.clear()
        if over:
            self._close()
            self._pace.due = self._pace.earliest = 0.0

    def _look(self) -> None:
        """Make the states anew, and tell of budgets that are nearly or fully used up."""
        for line in self._lines:
            for key, state in line.account.near():
                self._tell(line, key, state)
        self._close()
        self.states = tuple(state for line in self._lines for state in line.account.shown())
        self._pace.looked, self._pace.is_stale = self._timer(), False

    def _close(self) -> None:
        """Publish to callers whose calls are refused."""
        self.refusals.closed = tuple(
            Closed(line.account, states, line.account.is_unread)
            for line in self._lines
            if line.account.budget.refuse
            and (
                (states := {key: state for key, state in line.account.near() if state.exceeded})
                or line.account.is_unread
            )
        )

    def _tell(self, line: _Line, key: str, state: BudgetState) -> None:
        """Say once that it is nearly used up, and once that it is."""
        if self._alarms is None or state.share < NEAR or (key, state.exceeded) in line.told:
            return
        line.told |= {(key, state.exceeded), (key, False)}
        self._alarms.tell(line.account.budget, state)
