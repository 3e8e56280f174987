"""Where a text is not understood, why, and what mends it. Nothing is guessed."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

__all__ = ("Fault", "mended", "nearest", "underlined")


@dataclass(frozen=True, slots=True)
class Fault:
    """One place that is not understood."""

    start: int
    """Characters of the text before it."""
    end: int
    reason: str
    """A whole sentence, and what is possible instead."""
    remedy: str | None = None
    """What to write in its place, where that is plain."""


def mended(text: str, faults: Sequence[Fault]) -> str | None:
    """The text with every place mended; ``None`` where that is not plain for one of them."""
    for fault in sorted(faults, key=lambda one: one.start, reverse=True):
        if fault.remedy is None:
            return None
        text = text[: fault.start] + fault.remedy + text[fault.end :]
    return text


def nearest(name: str, possible: Sequence[str]) -> str | None:
    """The name that was probably meant."""
    if name.lower() in possible:
        return name.lower()
    return next(iter(get_close_matches(name.lower()[:50], possible, n=1, cutoff=0.7)), None)


def underlined(text: str, faults: Sequence[Fault]) -> str:
    """The text, and under it a mark for each character that is not understood: for terminals."""
    marks = [" "] * (len(text) + 1)
    for fault in faults:
        for at in range(fault.start, min(max(fault.end, fault.start + 1), len(marks))):
            marks[at] = "^"
    shown = "".join(c if c.isprintable() else " " for c in text)
    return f"{shown}\n{''.join(marks).rstrip()}"
