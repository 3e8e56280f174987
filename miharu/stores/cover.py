"""Which table answers for which part of a window of time: the coarsest inside, finer ones at the edges."""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from miharu.stores.rollups import Rollup

__all__ = ("Piece", "cover", "suited")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the window, [start, end) in Unix milliseconds; without a roll-up the calls are read."""

    start: int
    end: int
    rollup: Rollup | None


def suited(
    rollups: Iterable[Rollup],
    needed: Collection[str],
    step_ms: int | None,
    measures: Collection[str] = (),
) -> list[Rollup]:
    """The tables that know all that is needed: the coarsest first, of equal ones the smallest.

    A larger one of the same grain is among them only where it goes back further.
    """
    fitting = [
        rollup
        for rollup in rollups
        if set(needed) <= set(rollup.keys)
        and set(measures) <= set(rollup.measures)
        and (not rollup.of or not set(needed).isdisjoint(rollup.of))
        and (step_ms is None or step_ms % rollup.grain == 0)
    ]
    found: list[Rollup] = []
    for rollup in sorted(fitting, key=lambda one: (-one.grain, len(one.keys))):
        known = found[-1] if found and found[-1].grain == rollup.grain else None
        if known is None or _reach(rollup) > _reach(known):
            found.append(rollup)
    return found


def _reach(rollup: Rollup) -> float:
    return rollup.kept_ms or math.inf


def cover(
    start: int,
    end: int,
    rollups: Sequence[Rollup],
    horizon: int,
    made: Mapping[str, int],
    *,
    since: int = 0,
) -> Iterator[Piece]:
    """The pieces that make up the window, none overlapping another.

    Args:
        start: Unix milliseconds.
        end: Unix milliseconds, itself excluded.
        rollups: Tables that would do, the coarsest first.
        horizon: The moment from which ``kept_ms`` counts back.
        made: How far each table that has a source has been added up.
        since: The moment from which on the users that are meant have sums of their own, where they have.
    """
    if start >= end:
        return
    if not rollups:
        yield Piece(start, end, None)
        return
    rollup, *finer = rollups
    first = start if rollup.kept_ms is None else max(start, horizon - rollup.kept_ms)
    if rollup.of_frequent:
        first = max(first, since)
    inner = -(-first // rollup.grain) * rollup.grain
    last = end if rollup.source is None else min(end, made.get(rollup.name, 0))
    outer = last // rollup.grain * rollup.grain
    if inner >= outer:
        yield from cover(start, end, finer, horizon, made, since=since)
        return
    yield from cover(start, inner, finer, horizon, made, since=since)
    yield Piece(inner, outer, rollup)
    yield from cover(outer, end, finer, horizon, made, since=since)
