"""The block of one job: calls in it are the job's, and what is said for the rest of it ends with it."""

from contextlib import AbstractContextManager, nullcontext

from miharu.attribution import context
from miharu.attribution.context import Beginning, Origin
from miharu.interceptor import handoff

__all__ = ("named",)


def named(source: str) -> AbstractContextManager[Origin | None]:
    """A block in the name of a job; nothing new inside a request or another job, whose work it then is."""
    here = context.current()
    if handoff.target() is None or (here is not None and here.origin is not None):
        return nullcontext()
    return Beginning(Origin(source=source))
