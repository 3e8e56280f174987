"""JSON indented for reading, up to a length: indenting can make a text a thousand times longer."""

import json
import re
from collections.abc import Iterator
from typing import Any

from miharu.wire.abridged import abridged
from miharu.wire.exact import Number, exact, items
from miharu.wire.json import loads

__all__ = ("CUT", "MARK", "SHOWN", "indented", "of_text", "on_one_line")

SHOWN = 20_000
"""Characters of one part of a message."""
_TOKENS = 4_000
_ENCODER = json.JSONEncoder(ensure_ascii=False)
MARK = "\n…"
CUT = re.compile(r"(?:\n…|… \[\d{1,15} bytes more\])\Z")
"""What a text ends with whose end is missing: here, or by ``abridged``."""


def indented(value: Any, most: int = SHOWN) -> tuple[str, bool]:
    """The beginning of the value's JSON, and whether there is more of it."""
    pieces: list[str] = []
    length = 0
    try:
        for piece in _pieces(value):
            pieces.append(piece)
            length += len(piece)
            if length > most:
                return "".join(pieces)[:most] + MARK, True
    except (ValueError, RecursionError):  # what is nested too deep to be written
        return "".join(pieces)[:most] + MARK, True
    return "".join(pieces), False


def of_text(text: str, most: int = SHOWN) -> str:
    """The text indented if it is JSON, else as it is; in either case its beginning may be all of it."""
    if text[:64].lstrip()[:1] not in {"{", "[", '"'}:
        return text
    short = abridged(text.encode("utf-8", "replace"), tokens=_TOKENS, most=4 * most)
    value = exact(short.body) or loads(short.body)
    if isinstance(value, str):
        return value
    return text if value is None else indented(value, most)[0]


def on_one_line(value: Any) -> str:
    """A value that holds no others, as JSON."""
    return value.text if isinstance(value, Number) else _ENCODER.encode(value)


def _pieces(value: Any, line: str = "\n") -> Iterator[str]:
    if not value or not isinstance(value, dict | list):
        yield on_one_line(value)
        return
    inner = f"{line}  "
    start, end = ("{", "}") if isinstance(value, dict) else ("[", "]")
    for name, one in items(value):
        yield f"{start}{inner}"
        if isinstance(value, dict):
            yield f"{_ENCODER.encode(name)}: "
        yield from _pieces(one, inner)
        start = ","
    yield f"{line}{end}"
