"""JSON in colours, for reading; everything else as it is. What comes out is safe as HTML."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ("highlighted",)

_LONGEST = 60_000
_TOKEN = re.compile(
    r'(?P<string>"(?:[^"\\\n]|\\.)*+")(?P<colon>\s*:)?|(?<![\w.])(?P<number>-?\d[\d.eE+-]*)|\b(?P<word>true|false|null)\b'
)


def highlighted(text: str) -> "Markup":
    """The text with its strings, names and numbers marked, if it looks like JSON and is not too long."""
    from markupsafe import Markup, escape

    if len(text) > _LONGEST or text.lstrip()[:1] not in {"{", "["}:
        return escape(text)
    out, last = [], 0
    for found in _TOKEN.finditer(text):
        css = "k" if found["colon"] else "s" if found["string"] else "nn"
        out.append(escape(text[last : found.start()]))
        inner = found["string"] or found[0]
        out.append(Markup('<span class="{}">{}</span>').format(css, inner))
        out.append(escape(found["colon"] or ""))
        last = found.end()
    out.append(escape(text[last:]))
    return Markup("").join(out)
