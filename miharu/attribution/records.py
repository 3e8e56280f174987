"""Where spans, scores and markers are left for the recorder.

They come from the program's own code, as calls do from the interceptor; the recorder registers here to get
them.
"""

from collections.abc import Callable
from typing import Any

__all__ = ("hand_to", "leave", "withdraw")

Sink = Callable[[Any], None]
"""Of spans that are over (``spans.OpenSpan``) scores (``batch.Score``) and markers
(``batch.Marker``)."""

_sink: Sink | None = None


def hand_to(sink: Sink) -> None:
    """Say who takes every record from now on; it must be quick and never raise."""
    global _sink  # noqa: PLW0603 - one for the process, as the interceptor is
    _sink = sink


def withdraw(sink: Sink) -> None:
    """Stop giving records to this sink; one that has replaced it stays."""
    global _sink  # noqa: PLW0603 - as above
    if _sink == sink:
        _sink = None


def leave(record: object) -> None:
    """Leave a span that is over, a score or a marker; without a recorder it is dropped."""
    sink = _sink
    if sink is not None:
        sink(record)
