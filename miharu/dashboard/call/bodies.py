"""Bodies as text: readable where they are JSON, bounded always, and never anything but text."""

import re
from dataclasses import dataclass

from miharu.wire.exact import exact
from miharu.wire.indented import indented
from miharu.wire.json import loads

__all__ = ("Text", "as_text", "file_name", "pretty")

_SHOWN = 256 * 1024


@dataclass(frozen=True, slots=True)
class Text:
    text: str
    size: int
    """Bytes of the whole."""
    cut: bool
    """Only the beginning is here."""
    source: str = ""
    """The same as it was kept, where all of it is here."""


def file_name(id: str, of: str) -> str:  # noqa: A002 - the column's name
    """The name of the file in which a visitor downloads a body."""
    return f"{re.sub(r'[^A-Za-z0-9-]', '', id)[:36]}-{of}.json"


def as_text(content: bytes | None) -> Text | None:
    """The first 256 kB; indented where all of it fits and is JSON."""
    if content is None:
        return None
    text = content[:_SHOWN].decode(errors="replace")
    if len(content) > _SHOWN:
        return Text(text, len(content), cut=True)
    shown, cut = pretty(text)
    return Text(shown, len(content), cut=cut, source=text)


def pretty(text: str, most: int = _SHOWN) -> tuple[str, bool]:
    """The beginning of the text, indented if it is JSON; and whether there is more of it."""
    if len(text) > most:
        return text[:most], True
    value = exact(text) or loads(text)
    return (text, False) if value is None else indented(value, most)
