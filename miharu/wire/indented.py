"""JSON indented for reading, up to a length: indenting can make a text a thousand times longer."""

import json
from typing import Any

from miharu.wire.abridged import abridged
from miharu.wire.json import loads

__all__ = ("SHOWN", "indented", "of_text")

SHOWN = 20_000
"""Characters of one part of a message."""
_TOKENS = 4_000
_ENCODER = json.JSONEncoder(indent=2, ensure_ascii=False)
_MARK = "\n…"


def indented(value: Any, most: int = SHOWN) -> tuple[str, bool]:
    """The beginning of the value's JSON, and whether there is more of it."""
    pieces: list[str] = []
    length = 0
    try:
        for piece in _ENCODER.iterencode(value):
            pieces.append(piece)
            length += len(piece)
            if length > most:
                return "".join(pieces)[:most] + _MARK, True
    except (ValueError, RecursionError):  # what is nested too deep to be written
        return "".join(pieces)[:most] + _MARK, True
    return "".join(pieces), False


def of_text(text: str, most: int = SHOWN) -> str:
    """The text indented if it is JSON, else as it is; in either case its beginning may be all of it."""
    if text[:64].lstrip()[:1] not in {"{", "[", '"'}:
        return text
    short = abridged(text.encode("utf-8", "replace"), tokens=_TOKENS, most=4 * most)
    value = loads(short.body)
    if isinstance(value, str):
        return value
    return text if value is None else indented(value, most)[0]
