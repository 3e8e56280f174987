"""To whom a call belongs: the request, job or span during which it was made, and what the program says of it.

One reference is kept in a context variable, which ``asyncio`` tasks, thread pools of anyio and background
tasks inherit by themselves. The interceptor takes it, and the worker makes sense of it (``resolve.py``):
nothing is computed on the caller's path.
"""

import sys
import threading
import time
from collections.abc import MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, Any, Protocol

from miharu.attribution import tracing
from miharu.attribution.stated import NOTHING, Stated

if TYPE_CHECKING:
    from miharu.attribution.captures import Capturing

__all__ = (
    "EMPTY",
    "Beginning",
    "Block",
    "Context",
    "InSpan",
    "Origin",
    "begun",
    "current",
    "held",
    "hold_in",
    "hold_no_more",
    "now",
    "put",
    "within",
)

Scope = MutableMapping[str, Any]


class Origin:
    """What began: a web request, a job, or the outermost span. All that came of it share it and its trace."""

    __slots__ = ("_trace_id", "app", "left", "scope", "source", "stated")

    def __init__(self, scope: Scope | None = None, app: object = None, source: str | None = None) -> None:
        self.scope = scope
        """The host's own ASGI scope; routing fills it in after the middleware has passed it on."""
        self.app = app
        """The app that the middleware wraps."""
        self.source = source
        """What a job is called, such as ``celery send_mail``."""
        self.stated = NOTHING
        """What ``miharu.context`` has said for the rest of it."""
        self.left = 0
        """When the host heard that its visitor has gone, by ``time.perf_counter_ns()``; zero until then."""
        self._trace_id: str | None = None

    def trace_id(self, traced: object = None) -> str:
        """The trace, settled when it is first asked for: OpenTelemetry's, the visitor's, or one of ours.

        Args:
            traced: The span of OpenTelemetry that was active where the question comes from.
        """
        if self._trace_id is None:
            with _settling:
                if self._trace_id is None:
                    ids = tracing.ids_of(traced) or (tracing.incoming(self.scope) if self.scope else None)
                    self._trace_id = ids[0] if ids else tracing.new_trace_id()
        return self._trace_id


class Block:
    """A stretch of the program with a context of its own; left, the one before holds again.

    No tokens: a generator may be closed in another context than the one in which it was begun, and that is
    no error. A block that could not be taken back there is known as strayed, and passed over from then on.
    """

    __slots__ = ("before", "strayed", "yields")

    begins = False
    """Whether it is the outermost one of a request, a job or a trace. (No reference leads from there to here:
    what a request has held is let go of with it, and not by the next collection of cycles.)"""
    before: "Context | None"
    yields: bool
    """Whether it is around a ``yield``."""
    strayed: int
    """When it was left somewhere else, by ``time.perf_counter_ns()``; zero if it never was."""

    def enter(self, context: "Context") -> None:
        self.before = _current.get()
        self.strayed = 0
        self.yields = False
        _current.set(context)

    def leave(self) -> None:
        here = _current.get()
        if here is None or here.block is not self:
            self.strayed = time.perf_counter_ns()
            return
        before = self.before
        while before is not None and before.block is not None and before.block.strayed:
            before = before.block.before
        _current.set(before)


class InSpan(Protocol):
    """What a call needs to know of the span that it is made in (``spans/span.py``)."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What is known where a call is made."""

    origin: Origin | None = None
    span: InSpan | None = None
    stated: Stated = NOTHING
    """By the blocks around the call; what was said for the rest of a request is with its origin."""
    block: Block | None = None
    """The innermost block around the call."""
    capturing: "Capturing | None" = None


_current: ContextVar[Context | None] = ContextVar("miharu_context", default=None)
_settling = threading.Lock()
EMPTY = Context()


_of_generators: dict[FrameType, Context] = {}
"""Contexts of blocks around a ``yield``. A generator may go on in another thread, or after another one has
changed the variable; but while it runs, its frame is on the stack."""


def current() -> Context | None:
    """The context of a call made here and now."""
    here = _current.get()
    if _of_generators:
        frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - CPython's, and the only way to it
        while frame is not None:
            found = _of_generators.get(frame)
            if found is not None:
                return here if _is_inside(here, found) else found
            frame = frame.f_back
    return here


def _is_inside(here: Context | None, of_generator: Context) -> bool:
    """Whether it is of a block inside the generator's; another generator may have been stepped meanwhile."""
    while here is not None and here.block is not None:
        if here.block is of_generator.block:
            return True
        if here.block.yields:
            return False
        here = here.block.before
    return False


def hold_in(frame: FrameType, context: Context) -> Context | None:
    """Have the context hold wherever that generator goes on; what held there before."""
    if context.block is not None:
        context.block.yields = True
    before = _of_generators.get(frame)
    _of_generators[frame] = context
    return before


def hold_no_more(frame: FrameType, before: Context | None) -> None:
    """Restore the context of a generator whose block is left."""
    if before is None:
        _of_generators.pop(frame, None)
    else:
        _of_generators[frame] = before


def now() -> tuple[Context | None, Stated | None, Any]:
    """The same with what may have changed by the time it is read.

    That is what was said for the rest of the request so far, and the active span of OpenTelemetry.
    """
    here = current() if _of_generators else _current.get()
    traced = tracing.active() if "opentelemetry.trace" in sys.modules else None
    if here is None or here.origin is None:
        return here, None, traced
    return here, here.origin.stated, traced


def held() -> Context | None:
    """The context that this thread or task has; generators that run in it may have others."""
    return _current.get()


def put(context: Context | None) -> None:
    """Let another context hold, for a while; the caller puts the one before back."""
    _current.set(context)


def within(context: Context | None, block: Block) -> bool:
    """Whether the context is one of the block's, or of a block inside it."""
    while context is not None and context.block is not None:
        if context.block is block:
            return True
        context = context.block.before
    return False


class Beginning(Block):
    """The block of a request or a job. What was said around it holds in it as well."""

    __slots__ = ("origin",)

    begins = True

    def __init__(self, origin: Origin) -> None:
        self.origin = origin

    def __enter__(self) -> Origin:
        self.enter(begun(self.origin, self))
        return self.origin

    def __exit__(self, *_: object) -> None:
        self.leave()


def begun(origin: Origin, block: Block, span: InSpan | None = None) -> Context:
    """The context of something that begins here."""
    around = _current.get() or EMPTY
    origin.stated = (
        around.stated if around.origin is None else around.origin.stated.merged_with(around.stated)
    )
    return Context(origin=origin, span=span, block=block, capturing=around.capturing)
