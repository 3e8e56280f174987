"""Feedback: ratings of a call, or of everything that came of one request."""

import logging
import math
import re
import time

from miharu._guard import swallowed
from miharu.attribution import context, records, tracing
from miharu.attribution.spans.span import OpenSpan
from miharu.batch import Score
from miharu.call import Call, new_id

__all__ = ("score", "trace_id")

logger = logging.getLogger("miharu")

SEEN_COMMENT = 20_000
"""Characters of a comment that are left to the recorder; it keeps fewer, once they are redacted."""
_TRACE = re.compile(r"[0-9a-f]{32}")
_CALL = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def trace_id() -> str | None:
    """The trace of the request, job or span in which this is called; ``None`` outside of them.

    Hand it out with an answer, and ``miharu.score`` can be told later what became of it.
    """
    try:
        here, _, traced = context.now()
        if here is not None and here.origin is not None:
            return here.origin.trace_id(traced)
        ids = tracing.ids_of(traced)
    except Exception:  # noqa: BLE001 - the guard on the user's path
        swallowed("miharu.trace_id()")
        return None
    return ids[0] if ids else None


def score(target: Call | OpenSpan | str | None, name: str, value: float, comment: str | None = None) -> None:
    """Keep a rating of a call or a trace: a thumb, a grade, the result of a check.

    A value that is not valid is logged and not kept; it often comes from a visitor, so it never raises.

    Args:
        target: A call or its id; a span, or the id of a trace; ``None`` for the trace of what runs here.
        name: What is judged, such as ``helpful``.
        value: A number; what it means is up to you.
        comment: In words.
    """
    try:
        call, trace = _targets(target)
        number = _number(value)
        now = time.time_ns() // 1_000_000
        records.leave(
            Score(
                id=new_id(now),
                timestamp=now,
                name=_name(name),
                value=number,
                call_id=call,
                trace_id=trace,
                comment=None if comment is None else str(comment)[:SEEN_COMMENT],
            )
        )
    except (TypeError, ValueError) as error:
        logger.warning("miharu: a score was not kept. %s", error)
    except Exception:  # noqa: BLE001 - the guard on the user's path
        swallowed("miharu.score()")


def _name(given: object) -> str:
    if not isinstance(given, str) or not given:
        raise ValueError(f"name={given!r}: give a text that says what is judged, such as 'helpful'.")
    return given[:200]


def _number(value: object) -> float:
    try:
        number = float(value)  # type: ignore[arg-type] # what it cannot take is what is refused here
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"value={value!r}: give a finite number, or True or False.")
    return number


def _targets(target: object) -> tuple[str | None, str | None]:
    """The ids of the call and of the trace."""
    if isinstance(target, Call):
        return target.id, target.trace_id
    text = trace_id() if target is None else target.trace_id if isinstance(target, OpenSpan) else target
    if isinstance(text, str):
        text = text.strip().lower()
        if _TRACE.fullmatch(text):
            return None, text
        if _CALL.fullmatch(text):
            return text, None
    where = "there is no request, job or span here; " if target is None else ""
    raise ValueError(f"target={target!r}: {where}give a call, a span, or the id of a call or a trace.")
