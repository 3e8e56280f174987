"""What a model did after a tool had failed: the call that followed says so."""

from collections.abc import Sequence
from typing import Literal

from miharu.batch import Span
from miharu.call import Call
from miharu.stores.tooling import names_in

__all__ = ("WITHIN_MS", "After", "after", "traces_of")

After = tuple[Literal["again", "other", "answered", "failed", "nothing"], str]
"""What came next, and the name of the other tool that was asked for, if it was one."""
WITHIN_MS = 600_000
"""A call that begins later has nothing to do with it."""
_ROUNDED_MS = 5


def traces_of(failed: Span) -> set[str]:
    """Where the call that followed may be: one outside of requests, jobs and spans is a trace of its own."""
    return {failed.trace_id, (failed.result_in or failed.trace_id).replace("-", "")}


def after(failed: Span, calls: Sequence[Call]) -> After | None:
    """What came after a run that failed; ``None`` where that is not known.

    Args:
        failed: The run.
        calls: Those of its traces, around its time.
    """
    following = _following(failed, calls)
    if following is None:
        is_known = failed.result_in is None and any(call.trace_id == failed.trace_id for call in calls)
        return ("nothing", "") if is_known else None
    if following.outcome.status != "success":
        return "failed", ""
    names = names_in(following.tools) if following.tools else ()
    if failed.name in names:
        return "again", ""
    return ("other", names[0]) if names else ("answered", "")


def _following(failed: Span, calls: Sequence[Call]) -> Call | None:
    """The last attempt of the call that followed."""
    group = failed.result_in or _group_after(failed, calls)
    attempts = [call for call in calls if group is not None and (call.call_group or call.id) == group]
    return max(attempts, key=lambda call: (call.timestamp, call.id), default=None)


def _group_after(failed: Span, calls: Sequence[Call]) -> str | None:
    """The next call of the same work, or else of the same trace."""
    end = failed.timestamp + failed.duration_ms
    later = [
        call
        for call in calls
        if call.trace_id == failed.trace_id and end - _ROUNDED_MS <= call.timestamp <= end + WITHIN_MS
    ]
    beside = [call for call in later if call.parent_id == failed.parent_id]
    found = min(beside or later, key=lambda call: (call.timestamp, call.id), default=None)
    return None if found is None else found.call_group or found.id
