"""Bodies as text: readable where they are JSON, bounded always, and never anything but text."""

import json
from dataclasses import dataclass

__all__ = ("Text", "as_text", "pretty")

_SHOWN = 256 * 1024


@dataclass(frozen=True, slots=True)
class Text:
    text: str
    size: int
    """Bytes of the whole."""
    cut: bool
    """Only the beginning is here."""


def as_text(content: bytes | None) -> Text | None:
    """The first 256 kB; indented where all of it fits and is JSON."""
    if content is None:
        return None
    text = content[:_SHOWN].decode(errors="replace")
    if len(content) <= _SHOWN:
        text = pretty(text)
    return Text(text[:_SHOWN], len(content), cut=len(content) > _SHOWN or len(text) > _SHOWN)


def pretty(text: str) -> str:
    """The text indented if it is JSON, else as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text
