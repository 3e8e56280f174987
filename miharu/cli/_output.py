"""What is printed: words first, colour only on a terminal whose user has not switched it off."""

import os
import sys
from collections.abc import Sequence
from typing import TextIO

__all__ = ("Style", "bytes_words", "printable", "table")

_LONGEST = 60


class Style:
    """Marks up words for the terminal; leaves them as they are elsewhere."""

    def __init__(self, stream: TextIO | None = None) -> None:
        stream = stream or sys.stdout
        self._on = stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    def bold(self, text: str) -> str:
        return self._mark(text, "1")

    def dim(self, text: str) -> str:
        return self._mark(text, "2")

    def good(self, text: str) -> str:
        return self._mark(text, "32")

    def warn(self, text: str) -> str:
        return self._mark(text, "33")

    def bad(self, text: str) -> str:
        return self._mark(text, "31")

    def _mark(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._on else text


def printable(text: str, longest: int = _LONGEST) -> str:
    """A stored name, short and without what a terminal would obey: it may come from a stranger."""
    text = "".join(char if char.isprintable() else "?" for char in text)
    return text if len(text) <= longest else text[: longest - 1] + "…"


def bytes_words(size: int) -> str:
    """A size in the unit that people would use."""
    if size < 100_000:
        return f"{size / 1000:,.1f} kB"
    return f"{size / 1_000_000:,.1f} MB" if size < 10_000_000_000 else f"{size / 1_000_000_000:,.1f} GB"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], style: Style, indent: str = "  ") -> str:
    """Columns as wide as they must be: the first to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        first, *others = zip(cells, widths, strict=True)
        return (
            indent
            + "  ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]).rstrip()
        )

    return "\n".join([style.dim(line(head)), *map(line, rows)])
