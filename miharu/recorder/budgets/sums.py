"""What the store knows of a budget, asked so that it costs little.

Most budgets are answered by sums that the store keeps. Sums by tag, or by user and route together, it does
not keep: there the calls themselves are looked through, but those that have settled only once.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from miharu._budget import Budget
from miharu.recorder.budgets.account import NEAR, WHOLE, Spent
from miharu.stores.base import Dimension, Query, Questions, Totals

__all__ = ("Memo", "Sums", "SumsByScan", "SumsKept", "sums_for")

MOST = 200
"""Users that are asked for at first; more only where so many are near their limit."""
FOR_EVER_MS = 86_400_000 * 10**6
"""A step of a series that is longer than all time."""
SETTLES_MS = 30 * 60_000
"""What started longer ago is taken to be complete."""
SLICE_MS = (5 * 60_000, 60 * 60_000)
"""The shortest slice of time that is looked through at once, and the first."""
SLICE_TAKES_S = (0.05, 0.25)
"""Below the first the next slice is twice as long, above the second half as long."""

Memo = dict[object, Mapping[str, Spent]]
"""Answers of the same moment: two budgets may differ in their limit alone."""


class SumsKept:
    """Asks for the sums of the whole period."""

    is_complete = True

    def __init__(self, budget: Budget, by: Dimension | None) -> None:
        self._budget = budget
        self._by: Dimension | None = by

    async def ask(self, store: Questions, start: int, end: int, now: int, memo: Memo) -> Mapping[str, Spent]:  # noqa: ARG002 - its sibling's
        query = _query(self._budget, start, end)
        known = memo.get((query, self._by))
        if known is None or (self._by is not None and not self._is_enough(known)):
            known = memo[query, self._by] = await self._ask(store, query)
        return known

    async def _ask(self, store: Questions, query: Query) -> Mapping[str, Spent]:
        if self._by is None:
            return {WHOLE: _spent(await store.totals(query))}
        if self._by == "route":  # there are few, and groups of them come with their latency, which takes long
            points = await store.series(query, FOR_EVER_MS, self._by)
            return {point.key: _spent(point.totals) for point in points if point.key}
        limit = MOST
        while True:
            groups = await store.groups(query, self._by, limit)
            found = {group.key: _spent(group.totals) for group in groups if group.key}
            if len(groups) < limit or self._is_enough(found):
                return found
            limit *= 4

    def _is_enough(self, found: Mapping[str, Spent]) -> bool:
        """Whether no user or route near the limit can be missing: they come most expensive first."""
        least = min((spent.nanousd for spent in found.values()), default=0)
        return len(found) < MOST - 1 or least < self._budget.limit_nanousd * NEAR


class SumsByScan:
    """Looks through the calls, slice by slice; of those that have settled it remembers the sums."""

    def __init__(
        self, budget: Budget, by: Dimension | None, timer: Callable[[], float] = time.monotonic
    ) -> None:
        self._budget = budget
        self._by: Dimension | None = by
        self._timer = timer
        self._start = self._until = 0
        self._slice = SLICE_MS[1]
        self._settled: dict[str, Spent] = {}
        self.is_complete = False
        """Whether all that has settled was looked through."""

    async def ask(self, store: Questions, start: int, end: int, now: int, memo: Memo) -> Mapping[str, Spent]:  # noqa: ARG002 - its sibling's
        if start != self._start:
            self._start, self._until, self._settled = start, start, {}
        settled = max(start, min(end, now - SETTLES_MS))
        began = self._timer()
        while self._until < settled and self._timer() - began < SLICE_TAKES_S[1]:
            if settled - self._until < SLICE_MS[0] and self.is_complete:
                break  # a little more of it is looked through anew, so that there are few slices
            asked = self._timer()
            upto = min(settled, self._until + self._slice)
            found = await self._read(store, self._until, upto)
            self._settled = _added(self._settled, found)
            self._until = upto
            self._adapt(self._timer() - asked)
        self.is_complete = settled - self._until < SLICE_MS[0]
        recent = await self._read(store, self._until if self.is_complete else settled, end)
        return _added(self._settled, recent)

    def _adapt(self, took: float) -> None:
        if took < SLICE_TAKES_S[0]:
            self._slice *= 2
        elif took > SLICE_TAKES_S[1]:
            self._slice = max(SLICE_MS[0], self._slice // 2)

    async def _read(self, store: Questions, start: int, end: int) -> dict[str, Spent]:
        query = _query(self._budget, start, end)
        if self._by is None:
            return {WHOLE: _spent(await store.totals(query))}
        groups = await store.groups(query, self._by)
        return {group.key: _spent(group.totals) for group in groups if group.key}


Sums = SumsKept | SumsByScan


def sums_for(budget: Budget, by: Dimension | None) -> Sums:
    """The way to ask for the sums of a budget: kept ones, or a scan of the calls."""
    users = budget.user is not None or by == "user_id"
    routes = budget.route is not None or by == "route"
    kind = SumsByScan if budget.tag is not None or (users and routes) else SumsKept
    return kind(budget, by)


def _query(budget: Budget, start: int, end: int) -> Query:
    whole = Query(start=start, end=end)
    return replace(whole, user_id=budget.user, route=budget.route, service=budget.service, tag=budget.tag)


def _spent(totals: Totals) -> Spent:
    return Spent(totals.cost_nanousd, totals.unpriced)


def _added(one: Mapping[str, Spent], more: Mapping[str, Spent]) -> dict[str, Spent]:
    return {**one, **{key: one.get(key, Spent()) + spent for key, spent in more.items()}}
