"""The one redaction: a text, or bytes of any size, without credentials."""

from collections.abc import Iterator, Sequence
from itertools import islice

from miharu.redaction.fields import Span, named
from miharu.redaction.pieces import pieces
from miharu.redaction.shapes import shaped
from miharu.redaction.values import carried

__all__ = ("MARGIN", "REDACTED", "cut", "redacted", "redacted_bytes")

REDACTED = "[redacted]"
MARGIN = 16 << 10
"""What is read beyond the part that is kept, so that a secret on the edge is seen as a whole."""
MOST = 50_000
"""Secrets in one text; one with more is not kept at all. Their places take memory, and putting them in order
holds the interpreter's lock.
"""
_MARK = REDACTED.encode()


def redacted(text: str, values: Sequence[str] = ()) -> str:
    """The text without credentials: by their names, by their shapes, and by these values.

    Args:
        text: Any text.
        values: What the request carried (``credentials``).
    """
    data = text.encode("utf-8", "surrogatepass")
    clean = redacted_bytes(data, values)
    return text if clean is data else clean.decode("utf-8", "surrogatepass")


def redacted_bytes(data: bytes, values: Sequence[str] = ()) -> bytes:
    """The same for bytes: a body in JSON, a form, a stream of events."""
    spans = sorted(islice(_spans(data, values), MOST + 1))
    if not spans:
        return data
    if len(spans) > MOST:
        return _MARK
    pieces, done = list[bytes](), 0
    for start, end, instead in spans:
        if end <= done:
            continue
        if start >= done:
            pieces += (data[done:start], instead or _MARK)
        done = end
    pieces.append(data[done:])
    return b"".join(pieces)


def cut(text: str, longest: int, values: Sequence[str] = ()) -> str:
    """The beginning of the text without credentials: nothing of a secret is left on the edge either."""
    if len(text) <= longest:
        return redacted(text, values)[:longest]
    seen = text[: longest + MARGIN]
    clean = redacted(seen, values)
    return (clean if len(seen) == len(text) else clean[:-MARGIN])[:longest]


def _spans(data: bytes, values: Sequence[str]) -> Iterator[Span]:
    yield from _spans_of(data, values)
    for whole in pieces(data):
        for start, end, _ in _spans_of(whole.text, values):
            yield from ((at, until, b"") for at, until in whole.places(start, end))


def _spans_of(data: bytes, values: Sequence[str]) -> Iterator[Span]:
    yield from named(data)
    for start, end in shaped(data):
        yield start, end, b""
    for start, end in carried(data, values):
        yield start, end, b""
