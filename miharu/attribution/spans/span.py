"""A piece of work of the program: ``miharu.span`` around a block. Calls and spans made in it are its own.

Opening and closing one costs the program two clock readings and a few references; what it is called in the
store, and to whom it belongs, is made out in the worker (``resolve.py``).
"""

import re
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from miharu._guard import misused, swallowed
from miharu.attribution import context, records, tracing
from miharu.attribution.context import Block, Context, Origin
from miharu.attribution.spans.given import UNKEPT, snapshot
from miharu.attribution.spans.stacks import Frames, frames_of
from miharu.attribution.stated import NOTHING
from miharu.errors import ConfigError

if TYPE_CHECKING:
    from miharu.call import Status

__all__ = ("OpenSpan", "kind_named", "span")

SEEN_MESSAGE = 20_000
"""Characters of a message that are left to the recorder; it keeps fewer, once they are redacted."""
_KINDS = {"tool": "execute_tool", "agent": "invoke_agent", "workflow": "invoke_workflow"}
_KIND = re.compile(r"[a-z][a-z0-9_.]{0,63}")


class OpenSpan(Block):
    """A span while it lasts. It is used once."""

    __slots__ = (
        "_input",
        "_output",
        "_sizes",
        "begins",
        "ended",
        "error_message",
        "error_type",
        "frames",
        "id",
        "kind",
        "name",
        "origin",
        "outer",
        "started",
        "stated",
        "status",
        "timestamp",
        "traced",
    )

    def __init__(self, name: str, kind: str | None = None) -> None:
        self.begins = False
        self.name = name
        self.kind = kind
        self.id = ""
        """Sixteen hexadecimal digits, once it has begun."""
        self.origin: Origin | None = None
        self.outer: Context | None = None
        """The context around it."""
        self.stated = NOTHING
        """For the rest of the request, by the end of the span."""
        self.traced: Any = None
        self.timestamp = self.started = self.ended = 0
        self.status: Status = "success"
        self.error_type: str | None = None
        self.error_message: str | None = None
        self.frames: Frames | None = None
        self._sizes = (0, 0)
        self._input: Any = UNKEPT
        self._output: Any = UNKEPT

    @property
    def input(self) -> Any:
        """What it was given, as it was when that was set; ``None`` where content is not captured."""
        return None if self._input is UNKEPT else self._input

    @input.setter  # noqa: A003 - the conventions' word
    def input(self, value: object) -> None:
        if records.keeps_content():
            self._input, size = _kept(value)
            self._sizes = (size, self._sizes[1])

    @property
    def output(self) -> Any:
        """What came of it, as it was when that was set; ``None`` where content is not captured."""
        return None if self._output is UNKEPT else self._output

    @output.setter
    def output(self, value: object) -> None:
        if records.keeps_content():
            self._output, size = _kept(value)
            self._sizes = (self._sizes[0], size)

    @property
    def content(self) -> tuple[Any, Any]:
        """Both, with ``UNKEPT`` in place of what was not set."""
        return self._input, self._output

    @property
    def held(self) -> int:
        """Bytes of both, about."""
        return sum(self._sizes)

    def shed(self) -> None:
        """Keep neither: there is no memory for it."""
        self._input = self._output = UNKEPT
        self._sizes = (0, 0)

    @property
    def trace_id(self) -> str:
        """The trace that it belongs to, for ``miharu.score``: 32 hexadecimal digits, once it has begun."""
        return self.origin.trace_id(self.traced) if self.origin is not None else ""

    def begin(self) -> None:
        """Open it here and now, in the context that holds here."""
        self.traced = tracing.active()
        self.id = tracing.new_span_id()
        self.outer = here = context.current()
        self.timestamp = time.time_ns() // 1_000_000
        if here is None or here.origin is None:
            self.begins, self.origin = True, Origin()
            self.enter(context.begun(self.origin, self, self))
        else:
            self.origin = here.origin
            self.enter(
                Context(
                    origin=here.origin, span=self, stated=here.stated, block=self, capturing=here.capturing
                )
            )
        self.started = time.perf_counter_ns()

    def end(self, error: BaseException | None = None) -> None:
        """Close it, and leave it to be recorded; its context has been left before."""
        if self.ended or self.origin is None:
            return
        self.ended = time.perf_counter_ns()
        self.stated = self.origin.stated
        if error is not None and not (isinstance(error, SystemExit) and not error.code):
            # anything but an Exception is a cancellation, or a consumer that left a generator early
            self.status = "error" if isinstance(error, Exception) else "cancelled"
            self.error_type = f"{type(error).__module__}.{type(error).__qualname__}"
            self.error_message = _text(error)
            self.frames = frames_of(error, self.error_message) if self.status == "error" else None
        records.leave(self)

    def __enter__(self) -> Self:
        if self.origin is None:
            try:
                self.begin()
            except Exception:  # noqa: BLE001 - the guard on the user's path
                swallowed("miharu.span()")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if self.origin is not None and not self.ended:
                self.leave()
            self.end(error)
        except Exception:  # noqa: BLE001 - the guard on the user's path
            swallowed("miharu.span()")

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)


def _kept(value: object) -> tuple[Any, int]:
    """What is kept of it, and its size."""
    try:
        return snapshot(value)
    except Exception:  # noqa: BLE001 - another thread may change the value meanwhile
        swallowed("keeping what a span was given or returned")
        return UNKEPT, 0


def span(name: str, *, kind: str | None = None) -> OpenSpan:
    """A span around a block: ``with miharu.span("retrieve") as span:``, or ``async with``.

    Its ``trace_id`` can be handed out, to be scored later. Where content is captured, ``span.input = …`` and
    ``span.output = …`` keep what it was given and what came of it.

    Args:
        name: What the dashboard calls it.
        kind: ``"tool"``, ``"agent"``, ``"workflow"``, or any operation of OpenTelemetry's conventions, such
            as ``"retrieval"``.

    Raises:
        ConfigError: The name is a function, so this was meant for ``@miharu.observe``.
    """
    if callable(name):
        raise ConfigError(
            f"span({name!r}): give a name, as in `with miharu.span('retrieve'):`; for a span around each run "
            "of a function, decorate it with @miharu.observe.",
            "name",
        )
    if not _is_name(name):
        misused("span(name)", f"miharu.span({name!r:.200}): give a name, such as miharu.span('retrieve').")
        name = str(name or "span")
    try:
        return OpenSpan(name, kind_named(kind))
    except ConfigError as error:
        misused("span(kind=)", f"miharu.span({name!r:.200}): {error}")
        return OpenSpan(name)


def kind_named(kind: object) -> str | None:
    """The operation that is meant, in OpenTelemetry's words.

    Raises:
        ConfigError: It is not a word.
    """
    if kind is None:
        return None
    if not isinstance(kind, str) or not _KIND.fullmatch(kind):
        raise ConfigError(
            f"kind={kind!r:.200}: give 'tool', 'agent', 'workflow', or another operation of OpenTelemetry's "
            "conventions in small letters, such as 'retrieval'; or leave it out.",
            "kind",
        )
    return _KINDS.get(kind, kind)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _text(error: BaseException) -> str | None:
    try:
        return str(error)[:SEEN_MESSAGE]
    except Exception:  # noqa: BLE001 - an exception of the user's that cannot be printed is still a failure
        return None
