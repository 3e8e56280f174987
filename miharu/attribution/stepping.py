"""The context of a request that is answered in steps, each of which the server asks for: WSGI.

It holds in each step and in nothing between, because the thread may serve somebody else there, and because
nobody promises that the last step comes. What a step has left, such as a span around a ``yield``, is there
again in the next.
"""

import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from miharu.attribution.context import Beginning, Context, Origin, begun, held, put

__all__ = ("Stepping",)

P = ParamSpec("P")
T = TypeVar("T")


class Stepping:
    """Runs the steps of one request."""

    __slots__ = ("_inside", "origin")

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        before = held()
        block = Beginning(origin)
        block.enter(begun(origin, block))
        self._inside: Context | None = held()
        put(before)

    def run(self, step: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What the step gives; what it raises."""
        before = held()
        put(self._inside)
        try:
            return step(*args, **kwargs)
        finally:
            self._inside = held()
            put(before)

    def leave(self) -> None:
        """Note that the visitor has gone."""
        if not self.origin.left:
            self.origin.left = time.perf_counter_ns()
