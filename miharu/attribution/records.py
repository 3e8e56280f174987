"""Where spans and scores are left for the recorder.

They come from the program's own code, as calls do from the interceptor; whoever records says here that it
listens.
"""

from collections.abc import Callable
from typing import Any

__all__ = ("hand_to", "leave", "withdraw")

Sink = Callable[[Any], None]
"""Of spans that are over (``spans.OpenSpan``) and scores (``batch.Score``)."""

_sink: Sink | None = None


def hand_to(sink: Sink) -> None:
    """Say who takes every record from now on; it must be quick and never raise."""
    global _sink  # noqa: PLW0603 - one for the process, as the interceptor is
    _sink = sink


def withdraw(sink: Sink) -> None:
    """Take no more, unless somebody else does since."""
    global _sink  # noqa: PLW0603 - as above
    if _sink == sink:
        _sink = None


def leave(record: object) -> None:
    """Leave a span that is over, or a score; where nobody listens, it is gone."""
    sink = _sink
    if sink is not None:
        sink(record)
