"""Trace ids: taken over from the program's own tracing, so that a call can be found there, else made here.

W3C Trace Context: https://www.w3.org/TR/trace-context/. OpenTelemetry is looked for among the modules that
the program has loaded, and never imported.
"""

import os
import re
import sys
from collections.abc import Mapping
from typing import Any

from miharu._ids import new_id

__all__ = ("Ids", "active", "ids_of", "incoming", "new_span_id", "new_trace_id")

Ids = tuple[str, str]
"""A trace and the span in it: 32 and 16 hexadecimal digits."""

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?")
_ZEROS = ("0" * 32, "0" * 16)


def active() -> Any:
    """The span of OpenTelemetry in which this is called; a reference, to be read later by ``ids_of``."""
    # where it is defined: tests of others count the calls of the name that programs use
    tracing = sys.modules.get("opentelemetry.trace.propagation")
    if tracing is None:
        return None
    try:
        return tracing.get_current_span()
    except Exception:  # noqa: BLE001 - half imported, or of a version that we do not know
        return None


def ids_of(span: Any) -> Ids | None:
    """The ids of such a span; ``None`` where the program does not trace."""
    context = span.get_span_context() if span is not None else None
    if context is None or not context.is_valid:
        return None
    return f"{context.trace_id:032x}", f"{context.span_id:016x}"


def incoming(scope: Mapping[str, Any]) -> Ids | None:
    """What the caller of a web request says of its own trace, in the header ``traceparent``."""
    said = [value for name, value in scope.get("headers") or () if name.lower() == b"traceparent"]
    if len(said) != 1:
        return None
    found = _TRACEPARENT.fullmatch(said[0].decode("latin-1").strip())
    if found is None or found[1] == _ZEROS[0] or found[2] == _ZEROS[1]:
        return None
    return found[1], found[2]


def new_trace_id() -> str:
    """A trace id of ours. It begins with the time, so that what is kept by trace is kept in order."""
    return new_id().replace("-", "")


def new_span_id() -> str:
    return os.urandom(8).hex()
