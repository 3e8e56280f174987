"""Copying everything from one store to another, in order of time, a bounded number at once.

Where it goes on after an end is not written down anywhere: both stores are compared by places, which is
quick, and what the target has is skipped. A store keeps each id once, so nothing is ever there twice.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import get_args

from miharu.batch import Batch
from miharu.call import Call
from miharu.errors import StoreError
from miharu.stores.base import AsyncWriter, Kind, Place, Query, Questions

__all__ = ("KINDS", "Comparison", "Progress", "compare", "complete", "copy", "unequal_sums")

KINDS: tuple[Kind, ...] = get_args(Kind)
_COMPARED_AT_ONCE = 10_000
_COPIED_AT_ONCE = 1000
_SUMS = ("calls", "errors", "cost_nanousd", "unpriced", "prompt_tokens", "completion_tokens", "duration_ms")

Progress = Callable[[str, Kind, int, int], object]
"""Called with what is done (``comparing``, ``copying``, ``completing``), of what, how many so far, and of how
many; 0 where that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What of one kind is in two stores."""

    source: int
    target: int
    shared: int
    begin: Place | None
    """The last place before the first that is missing in the target; ``None`` for the beginning."""

    @property
    def missing(self) -> int:
        """In the source only."""
        return self.source - self.shared

    @property
    def foreign(self) -> int:
        """In the target only."""
        return self.target - self.shared


async def compare(source: Questions, target: Questions, kind: Kind, progress: Progress) -> Comparison:
    """Walk through both in their common order.

    Raises:
        StoreError: One of the stores cannot be read in order.
    """
    ours, theirs = _Places(source, kind), _Places(target, kind)
    shared, begin, whole = 0, None, True
    while (place := await ours.head()) is not None:
        other = await theirs.head()
        if other is not None and other < place:
            theirs.move()
            continue
        if other == place:
            shared += 1
            theirs.move()
        else:
            whole = False
        if whole:
            begin = place
        ours.move()
        if ours.seen % _COMPARED_AT_ONCE == 0:
            progress("comparing", kind, ours.seen, 0)
    while await theirs.head() is not None:
        theirs.move()
    return Comparison(source=ours.seen, target=theirs.seen, shared=shared, begin=begin)


async def copy(
    source: Questions, writer: AsyncWriter, kind: Kind, found: Comparison, progress: Progress
) -> None:
    """Copy all of one kind from where it is missing on."""
    after, done = found.begin, found.shared
    while batch := await source.batch(kind, after, _COPIED_AT_ONCE):
        await writer.add(batch)
        several: Sequence[object] = getattr(batch, kind)
        done += len(several)
        after = _place_of(batch, kind)
        progress("copying", kind, min(done, found.source), found.source)


async def complete(source: Questions, target: Questions, writer: AsyncWriter, progress: Progress) -> int:
    """Bring the ends of background calls that were copied while they were open; how many were."""
    after, looked, done = None, 0, 0
    while calls := (await target.batch("calls", after, _COPIED_AT_ONCE)).calls:
        for call in calls:
            if not _is_open(call):
                continue
            ended = await source.call(call.id)
            if ended is not None and not _is_open(ended):
                await writer.add(Batch(calls=[replace(ended, completes=True)]))
                done += 1
        after, looked = (calls[-1].timestamp, calls[-1].id), looked + len(calls)
        progress("completing", "calls", looked, 0)
    return done


def _is_open(call: Call) -> bool:
    """Whether an end may follow, as a writer of the store sees it."""
    return call.response_id is not None and call.usage.usage_source == "none"


async def unequal_sums(source: Questions, target: Questions) -> Mapping[str, tuple[int, int]]:
    """The sums over all calls that differ between the stores."""
    everything = Query(start=0, end=2**62)
    one, other = await source.totals(everything), await target.totals(everything)
    pairs = {name: (getattr(one, name), getattr(other, name)) for name in _SUMS}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


class _Places:
    """All places of a store, a few of them in memory."""

    def __init__(self, store: Questions, kind: Kind) -> None:
        self._ask: Callable[..., Awaitable[Sequence[Place]]] | None = getattr(store, "places", None)
        self._kind = kind
        self._some: Sequence[Place] = ()
        self._at = 0
        self._ended = False
        self.seen = 0

    async def head(self) -> Place | None:
        """The next one, or ``None`` at the end."""
        if self._at == len(self._some) and not self._ended:
            if self._ask is None:
                raise StoreError(
                    "This store cannot be copied: its plug-in has no Questions.places() and "
                    "Questions.batch(). Upgrade the plug-in."
                )
            last = self._some[-1] if self._some else None
            self._some = await self._ask(self._kind, last, _COMPARED_AT_ONCE)
            self._at, self._ended = 0, not self._some
        return None if self._ended else self._some[self._at]

    def move(self) -> None:
        """Go on to the one that follows."""
        self._at += 1
        self.seen += 1


def _place_of(batch: Batch, kind: Kind) -> Place:
    """Of the last in it."""
    last = getattr(batch, kind)[-1]
    return last.timestamp, last.id
