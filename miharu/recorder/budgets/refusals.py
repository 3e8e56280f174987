"""Who is refused: what callers look at before they send.

It is replaced as a whole and never changed, so looking at it needs no lock.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from miharu._budget import BudgetState
from miharu._guard import swallowed
from miharu.errors import BudgetExceeded
from miharu.recorder.budgets.account import Account
from miharu.recorder.budgets.caller import Caller

__all__ = ("Closed", "Refusals")


@dataclass(frozen=True, slots=True)
class Closed:
    """A budget that refuses, and those by key for whom it is used up."""

    account: Account
    states: Mapping[str, BudgetState]
    is_unread: bool = False
    """Whether what was spent cannot be read, so that all calls of the budget are refused."""

    def state(self, key: str) -> BudgetState | None:
        """The state for a key whose calls it refuses, else ``None``."""
        return self.states.get(key) or (self.account.state(key) if self.is_unread else None)


class Refusals:
    """The budgets that refuse: written by the worker, read by every calling thread."""

    def __init__(self, clock: Callable[[], int]) -> None:
        """Prepare; ``clock`` gives Unix milliseconds, by which a refusal ends without the worker."""
        self.closed: tuple[Closed, ...] = ()
        self.count = 0
        """Calls that were not sent."""
        self._clock = clock
        self._counting = threading.Lock()

    def admit(self, caller: Callable[[], Caller]) -> None:
        """Return, unless a call of theirs is refused, which is counted. On the caller's path.

        Raises:
            BudgetExceeded: It is.
        """
        if not self.closed:
            return
        state = self._state(caller)
        if state is not None:
            with self._counting:
                self.count += 1
            raise BudgetExceeded(_message(state, "This call was not sent"), state)

    def check(self, caller: Callable[[], Caller]) -> None:
        """Like ``admit``, without counting a refusal, because nothing is about to be sent.

        Raises:
            BudgetExceeded: Calls of theirs are refused.
        """
        state = self._state(caller)
        if state is not None:
            raise BudgetExceeded(_message(state, "Calls are refused"), state)

    def after_fork(self) -> None:
        """Count from zero in a child; refusals stay in force."""
        self.count, self._counting = 0, threading.Lock()

    def _state(self, caller: Callable[[], Caller]) -> BudgetState | None:
        closed = self.closed
        if not closed:
            return None
        try:
            asked, now = caller(), self._clock()
            for each in closed:
                key = each.account.key_of(asked)
                state = None if key is None else each.state(key)
                if state is not None and now < state.ends:
                    return state
        except Exception:  # noqa: BLE001 - the guard on the user's path
            swallowed("looking at a budget")
        return None


def _message(state: BudgetState, consequence: str) -> str:
    if not state.exceeded:
        return (
            f"{state}. {consequence}. This ends once the database answers; refuse=False ends it before that, "
            "where miharu.init() is given its budgets. `miharu doctor` says what is wrong with the database."
        )
    return (
        f"{state}. {consequence}. This ends at {state.ends_at}; a higher limit ends it before that, or "
        "refuse=False, where miharu.init() is given its budgets."
    )
