"""Where spans, scores and markers are left for the recorder.

They come from the program's own code, as calls do from the interceptor; the recorder registers here to get
them.
"""

from collections.abc import Callable
from typing import Any

__all__ = ("hand_to", "keeps_content", "leave", "withdraw")

Sink = Callable[[Any], None]
"""Of spans that are over (``spans.span.OpenSpan``), scores (``batch.Score``), markers (``batch.Marker``)."""

_sink: Sink | None = None
_content = False


def hand_to(sink: Sink, *, content: bool = False) -> None:
    """Say who takes every record from now on; it must be quick and never raise.

    Args:
        sink: Takes them.
        content: Whether it wants what spans are given and return.
    """
    global _sink, _content
    _sink, _content = sink, content


def withdraw(sink: Sink) -> None:
    """Stop giving records to this sink; one that has replaced it stays."""
    global _sink, _content
    if _sink == sink:
        _sink, _content = None, False


def keeps_content() -> bool:
    """Whether what spans are given and return is wanted."""
    return _content


def leave(record: object) -> None:
    """Leave a span that is over, a score or a marker; without a recorder it is dropped."""
    sink = _sink
    if sink is not None:
        sink(record)
