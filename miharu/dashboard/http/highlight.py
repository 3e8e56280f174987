"""JSON in colours, for reading; everything else as it is. What comes out is safe as HTML."""

import re
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ("highlighted",)

_LONGEST = 60_000
_MOST = 4_000
"""Marks in one text: each is ten times as long as what it marks."""
_TOKEN = re.compile(
    r'(?P<string>"(?:[^"\\\n]|\\.)*+")(?P<colon>\s*:)?|(?<![\w.])(?P<number>-?\d[\d.eE+-]*)|\b(?P<word>true|false|null)\b'
)


def highlighted(text: str) -> "Markup":
    """The text with its first names and values marked, if it looks like JSON and is not too long."""
    from markupsafe import Markup, escape

    if len(text) > _LONGEST or text.lstrip()[:1] not in {"{", "["}:
        return escape(text)
    out, last = [], 0
    for found in islice(_TOKEN.finditer(text), _MOST):
        css = "k" if found["colon"] else "s" if found["string"] else "nn"
        inner = escape(found["string"] or found[0])
        out.append(
            f'{escape(text[last : found.start()])}<span class="{css}">{inner}</span>{found["colon"] or ""}'
        )
        last = found.end()
    out.append(str(escape(text[last:])))
    return Markup("".join(out))  # noqa: S704 - it is escaped piece by piece
