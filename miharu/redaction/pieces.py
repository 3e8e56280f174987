"""The text of a stream as it is read in the end: a secret may come in pieces, one in each event."""

import re
from bisect import bisect_right
from collections.abc import Iterator

__all__ = ("Pieces", "pieces")

_STREAM = (b"\ndata:", b"}\n{")
_PIECE = re.compile(
    rb'"(content|text|delta|arguments|partial_json|thinking|reasoning_content|reasoning|response|transcript)"'
    rb'\s{0,4}+:\s{0,4}+"((?:[^"\\]|\\.)*+)"'
)


class Pieces:
    """The pieces of one name, put together."""

    def __init__(self) -> None:
        self._places: list[tuple[int, int]] = []
        self._begins: list[int] = []
        self._texts: list[bytes] = []
        self._length = 0

    def add(self, start: int, end: int, text: bytes) -> None:
        self._places.append((start, end))
        self._begins.append(self._length)
        self._texts.append(text)
        self._length += len(text)

    @property
    def text(self) -> bytes:
        return b"".join(self._texts)

    def places(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Where a part of the text stands in the stream, if it is in more than one piece."""
        first, last = bisect_right(self._begins, start) - 1, bisect_right(self._begins, end - 1) - 1
        for number in range(first, last + 1) if last > first else ():
            at, until = self._places[number]
            begins = self._begins[number]
            yield max(at, at + start - begins), min(until, at + end - begins)


def pieces(data: bytes) -> list[Pieces]:
    """By name; none where it is no stream."""
    if not any(mark in data for mark in _STREAM):
        return []
    found: dict[bytes, Pieces] = {}
    for piece in _PIECE.finditer(data):
        if piece[2]:
            found.setdefault(piece[1], Pieces()).add(piece.start(2), piece.end(2), piece[2])
    return list(found.values())
