"""One budget: what the store knew when it was asked last, and what this process has spent since."""

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from miharu._budget import Budget, BudgetState, Each, period_of
from miharu.call import Call
from miharu.recorder.budgets.caller import Caller, caller_of
from miharu.stores.base import Dimension

__all__ = ("NEAR", "WHOLE", "Account", "Spent")

NEAR = 0.8
"""The share of a budget from which on it is told of before it is used up."""
NOTED = 0.05
"""The share of what is left of a budget that is spent before the store is asked again in haste."""
UNREAD = 2
"""How often the store may fail to say what was spent before that is more than a moment's trouble."""
WHOLE = ""
"""The key of a budget without ``each``."""
_SHOWN, _SHOWN_AT_LEAST = 50, 5
"""Users or routes that are shown: at most, and even where they are far from their limit."""
_COLUMNS: Mapping[Each, Dimension] = {"user": "user_id", "route": "route"}


@dataclass(frozen=True, slots=True)
class Spent:
    """A sum of money, and how many calls without a price it lacks."""

    nanousd: int = 0
    unpriced: int = 0

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.nanousd + other.nanousd, self.unpriced + other.unpriced)

    def __sub__(self, other: "Spent") -> "Spent":
        return Spent(self.nanousd - other.nanousd, self.unpriced - other.unpriced)

    def __bool__(self) -> bool:
        return bool(self.nanousd or self.unpriced)


NOTHING = Spent()


class Account:
    """One budget, as the worker alone uses it; callers see only the states made from it."""

    def __init__(self, budget: Budget, now: int) -> None:
        self.budget = budget
        self.column: Dimension | None = _COLUMNS[budget.each] if budget.each else None
        """The column of ``each``: the user or the route."""
        self.roll(now)

    def roll(self, now: int) -> None:
        """Begin the period of that moment, with nothing spent."""
        self.starts, self.ends = period_of(self.budget.per, now)
        self.known: Mapping[str, Spent] | None = None
        self.failed = 0
        self.own: dict[str, Spent] = {}
        self._asked: dict[str, Spent] = {}

    def key_of(self, caller: Caller) -> str | None:
        """The user or route to whom it is charged, ``WHOLE``, or ``None`` for what the budget is not for."""
        budget = self.budget
        for wanted, found in (
            (budget.user, caller.user_id),
            (budget.route, caller.route),
            (budget.service, caller.service),
        ):
            if wanted is not None and wanted != found:
                return None
        if budget.tag is not None and (caller.tags or {}).get(budget.tag[0]) != budget.tag[1]:
            return None
        return WHOLE if self.column is None else getattr(caller, self.column) or None

    def charge(self, call: Call) -> str | None:
        """Add a call that the store does not have yet; the key it was charged to, if to any."""
        cost, unpriced = call.cost.cost_nanousd if call.cost else 0, int(call.is_unpriced)
        if not (cost or unpriced) or not self.starts <= call.timestamp < self.ends:
            return None
        key = self.key_of(caller_of(call))
        if key is not None:
            self.own[key] = self.own.get(key, NOTHING) + Spent(cost, unpriced)
        return key

    def asked(self) -> None:
        """The store is asked from now on: what was charged until here is in its answer."""
        self._asked = dict(self.own)

    def settle(self, known: Mapping[str, Spent]) -> None:
        """Take what the store knows; what was charged since it was asked is not in it."""
        self.known, self.failed = known, 0
        self.own = {
            key: since for key, spent in self.own.items() if (since := spent - self._asked.get(key, NOTHING))
        }
        self._asked = {}

    @property
    def is_unread(self) -> bool:
        """Whether the store failed to answer more than once, so that what was spent is not known."""
        return self.known is None and self.failed >= UNREAD

    def state(self, key: str) -> BudgetState:
        spent = self._spent(key)
        return BudgetState(
            name=self.budget.label,
            key=key or None,
            per=self.budget.per,
            limit_nanousd=self.budget.limit_nanousd,
            spent_nanousd=spent.nanousd,
            unpriced=spent.unpriced,
            starts=self.starts,
            ends=self.ends,
            refuses=self.budget.refuse,
            is_known=self.known is not None,
            is_unread=self.is_unread,
        )

    @property
    def is_going(self) -> bool:
        """Whether this process alone has spent a part worth asking for of what was left."""
        limit, known = self.budget.limit_nanousd, self.known or {}
        return any(
            spent.nanousd >= (limit - known.get(key, NOTHING).nanousd) * NOTED
            for key, spent in self.own.items()
        )

    def near(self) -> Iterator[tuple[str, BudgetState]]:
        """The states that are used up, or soon will be, by key."""
        limit = self.budget.limit_nanousd * NEAR
        for key in self._keys():
            if self._spent(key).nanousd >= limit:
                yield key, self.state(key)

    def shown(self) -> list[BudgetState]:
        """The states worth showing, the most used first."""
        if self.column is None:
            return [self.state(WHOLE)]
        first = heapq.nlargest(_SHOWN, self._keys(), key=lambda key: (self._spent(key).nanousd, key))
        states = [self.state(key) for key in first]
        return [state for place, state in enumerate(states) if place < _SHOWN_AT_LEAST or state.share >= NEAR]

    def _spent(self, key: str) -> Spent:
        return (self.known or {}).get(key, NOTHING) + self.own.get(key, NOTHING)

    def _keys(self) -> Iterable[str]:
        return {*(self.known or {}), *self.own}
