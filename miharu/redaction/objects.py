"""The values inside of an object that holds nothing but secrets: headers, credentials and the like."""

import re
from collections.abc import Iterator

from miharu.redaction.names import BENIGN
from miharu.redaction.strings import backslashes, closing

__all__ = ("values_within",)

_PIECE = re.compile(rb"[\"'{}\[\]]")
_COLON = re.compile(rb"(?:\s|\\++[nrt]){0,16}+:")
_STEP = 16 << 10
"""How far the next piece is looked for at once; numbers alone may stand there."""


def values_within(data: bytes, start: int) -> Iterator[tuple[int, int]]:
    """From where to where each string value in it stands, unless its name is benign; last, where it ends.

    Args:
        data: Any text.
        start: Where the object, or the list, begins.
    """
    at, level, name = start, 0, ""
    while at < len(data):
        piece = _PIECE.search(data, at, at + _STEP)
        if piece is None:
            at += _STEP
            continue
        before, at = at, piece.end()
        if piece[0] not in b"\"'":
            level += 1 if piece[0] in b"{[" else -1
            if level <= 0:
                break
            continue
        depth = backslashes(data, piece.start(), before)
        end = closing(data, at, depth, piece[0])
        behind = min(len(data), end + depth + 1)
        if colon := _COLON.match(data, behind):
            name, behind = data[at:end].decode("utf-8", "replace").lower(), colon.end()
        elif end > at and name not in BENIGN:
            yield at, end
        at = behind
    yield at, at
