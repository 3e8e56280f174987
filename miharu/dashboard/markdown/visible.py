"""Characters that hide something, made visible: they turn text around, move a cursor, or carry words."""

import re
from collections.abc import Iterator
from html import escape
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ("seen", "shown", "visible")

_HIDING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]+"
)
"""Without U+200C and U+200D, of which words and emoji are made."""
_NAMES = {0x1B: "ESC", 0x0D: "CR", 0x00: "NUL", 0x08: "BS", 0x07: "BEL"}
_MOST = 1_000
"""Marks in one text; further ones are a sign without a name."""
_NAMED = 3
_TAGS = 0xE0000
"""From here on, a copy of ASCII that no font draws."""


def shown(text: str) -> "Markup":
    """The text as it is, for a page."""
    from markupsafe import escape

    return seen(escape(text))


def seen(html: "Markup") -> "Markup":
    """The same markup with such characters made visible."""
    from markupsafe import Markup

    return Markup(visible(str(html)))  # noqa: S704 - it is markup, and only marks are added


def visible(html: str) -> str:
    """The same HTML, each run of such characters a mark with their names."""
    if html.isascii() and html.isprintable():
        return html
    html = html.replace("\r\n", "\n")
    marks = count(1)
    return _HIDING.sub(lambda found: _mark(found[0]) if next(marks) <= _MOST else "\ufffd", html)


def _mark(run: str) -> str:
    more = f" +{len(run) - _NAMED}" if len(run) > _NAMED else ""
    if all(_TAGS + 0x20 <= ord(one) <= _TAGS + 0x7E for one in run):
        return f'<span class="ctl">hidden: {_hidden(run)}</span>'
    return f'<span class="ctl">{" ".join(_named(run[:_NAMED]))}{more}</span>'


def _named(run: str) -> Iterator[str]:
    return (_NAMES.get(ord(one), f"U+{ord(one):04X}") for one in run)


def _hidden(run: str) -> str:
    """The words that are written in the invisible copy of ASCII."""
    text = "".join(chr(ord(one) - _TAGS) for one in run[:400])
    return escape(text)
