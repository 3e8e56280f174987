"""How much a step of maintenance takes on, by how long such steps have taken: others wait for it."""

import time
from collections.abc import Callable

__all__ = ("Pace", "Stopwatch", "worked")

Stopwatch = Callable[[], float]

AIM_S = 0.008
"""How long a step should hold the lock."""
_SLOWER, _FASTER = 0.3, 1.4
"""The most by which a size changes at once: one step may have been slow because the machine was busy."""
_LEAST = 0.1
"""The smallest size, as a share of the first: each step has costs that do not depend on its size."""


def worked() -> Stopwatch:
    """The seconds of a processor that this thread uses from now on; waiting counts for a fourth.

    On a busy machine a step waits for its turn, and smaller ones would wait as long.
    """
    cpu, wall = time.thread_time(), time.perf_counter()
    return lambda: max(time.thread_time() - cpu, (time.perf_counter() - wall) / 4)


class Pace:
    """Sizes of steps by kind, in rows that are added to a table."""

    def __init__(self, aim_s: float = AIM_S, stopwatch: Callable[[], Stopwatch] = worked) -> None:
        self.is_folding = False
        """Whether folding has begun: it goes on until nearly nothing is left, because to begin costs more."""
        self._aim = aim_s
        self._stopwatch = stopwatch
        self._firsts: dict[str, int] = {}
        self._sizes: dict[str, float] = {}
        self._kind = ""
        self._took = worked()
        self._rows = 0

    def most(self, kind: str, first: int) -> int:
        """How many rows the step that begins now may take on; ``first`` where nothing is known yet."""
        self._kind, self._took, self._rows = kind, self._stopwatch(), 0
        self._firsts[kind] = first
        return int(self._sizes.setdefault(kind, first))

    def did(self, rows: int) -> None:
        """Note that this step added so many rows."""
        self._rows += rows

    def ended(self) -> None:
        """Note that the step has ended and the lock is free."""
        if not self._kind:
            return
        kind, self._kind = self._kind, ""
        size, took = self._sizes[kind], max(self._took(), 1e-6)
        if took > self._aim or 2 * self._rows >= size:  # a step that had little to do says little
            size *= min(max(self._aim / took, _SLOWER), _FASTER)
        self._sizes[kind] = max(size, _LEAST * self._firsts[kind], 1)
