"""The text of a stream as it is read in the end: a secret may come in pieces, one in each event."""

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterator

__all__ = ("Pieces", "pieces")

_STREAM = (b"\ndata:", b"}\n{")
_PIECE = re.compile(
    rb'"(content|text|delta|arguments|partial_json|thinking|reasoning_content|reasoning|response|transcript)"'
    rb'\s{0,4}+:\s{0,4}+"((?:[^"\\]|\\.)*+)"'
)


class Pieces:
    """The pieces of one name, put together: a stream may have hundreds of thousands."""

    def __init__(self) -> None:
        self._starts, self._ends, self._begins = array("Q"), array("Q"), array("Q")
        self._text = bytearray()

    def add(self, start: int, end: int, text: bytes) -> None:
        self._starts.append(start)
        self._ends.append(end)
        self._begins.append(len(self._text))
        self._text += text

    @property
    def text(self) -> bytes:
        return bytes(self._text)

    def places(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Where a part of the text stands in the stream, if it is in more than one piece."""
        first, last = bisect_right(self._begins, start) - 1, bisect_right(self._begins, end - 1) - 1
        for number in range(first, last + 1) if last > first else ():
            at, until = self._starts[number], self._ends[number]
            begins = self._begins[number]
            yield max(at, at + start - begins), min(until, at + end - begins)


def pieces(data: bytes) -> list[Pieces]:
    """The pieces by name; empty where it is not a stream."""
    if not any(mark in data for mark in _STREAM):
        return []
    found: dict[bytes, Pieces] = {}
    for piece in _PIECE.finditer(data):
        if piece[2]:
            found.setdefault(piece[1], Pieces()).add(piece.start(2), piece.end(2), piece[2])
    return list(found.values())
