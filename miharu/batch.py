"""What stores and exporters are given together: calls, the spans around them, scores, and markers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from miharu.call import Call, Status

__all__ = ("RECOGNISED", "TOOL", "UNTOLD", "Batch", "Marker", "MarkerKind", "Score", "Span")

TOOL = "execute_tool"
"""The kind of a span in which a tool ran."""
RECOGNISED = "miharu.recognised"
"""The tag of a tool's span that was made out from the conversation: the ``call_group`` of the call that
brought the result. The span begins where the answer ended that asked for the tool, and ends where that call
began, so the tool took at most that long."""
UNTOLD = "miharu.untold"
"""The tag of such a span where the format has no word for a tool that failed: whether it did is not known."""
MarkerKind = Literal["mark", "release", "firing", "resolved"]
"""What happened: something that the program named, the first call of a release, or a turn of an alert."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A piece of work of the program, such as one run of a function, that calls and other spans belong to."""

    id: str
    """Sixteen hexadecimal digits, as in W3C Trace Context."""
    trace_id: str
    """Thirty-two hexadecimal digits, shared by all that came of one beginning."""
    name: str
    timestamp: int
    """Unix milliseconds at the start."""
    duration_ms: int
    status: Status
    parent_id: str | None = None
    """``None`` at the root; also the id of a span that another system keeps."""
    error_type: str | None = None
    """The qualified name of the exception it ended with."""
    error_message: str | None = None
    service: str | None = None
    route: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    tags: Mapping[str, str] | None = None
    kind: str | None = None
    """OpenTelemetry's ``gen_ai.operation.name``, such as ``execute_tool`` or ``invoke_agent``; ``None`` of
    plain work."""
    input: str | None = None
    """What it was given, as JSON. Kept only with ``capture_content=True``."""
    output: str | None = None
    """What it returned, as JSON. Kept only with ``capture_content=True``."""
    error_stack: str | None = None
    """The traceback of the error that it ended with, the innermost frame last."""

    @property
    def is_tool(self) -> bool:
        return self.kind == TOOL

    @property
    def is_untold(self) -> bool:
        """Whether it is not known if it failed."""
        return bool(self.tags) and UNTOLD in (self.tags or ())

    @property
    def result_in(self) -> str | None:
        """The call that brought its result, where it was recognised by that; else ``None``."""
        return self.tags.get(RECOGNISED) if self.tags else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A rating of a call or a trace by a user or a program: a thumb, a grade, a check's result."""

    id: str
    """A time-ordered UUIDv7."""
    timestamp: int
    """Unix milliseconds."""
    name: str
    value: float
    call_id: str | None = None
    trace_id: str | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """A moment that figures are compared around: a deploy, a release, a turn of an alert."""

    id: str
    """Of several with the same id the first one that was stored is kept."""
    timestamp: int
    """Unix milliseconds."""
    name: str
    kind: MarkerKind = "mark"
    service: str | None = None
    tags: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Calls, spans, scores and markers that are stored in one transaction, or not at all."""

    calls: Sequence[Call] = ()
    spans: Sequence[Span] = ()
    scores: Sequence[Score] = ()
    markers: Sequence[Marker] = ()

    def __bool__(self) -> bool:
        return bool(self.calls or self.spans or self.scores or self.markers)
