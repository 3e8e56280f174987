"""Where a string ends: in JSON, in JSON that is a string of JSON, and as Python prints it."""

import re

__all__ = ("OPENING", "backslashes", "closing")

OPENING = re.compile(rb"(?:[bBrRuU]{1,2}(?=[\"']))?(\\*+)([\"'])")
"""The quote that a string begins with, and the backslashes before it: one inside of a string, then three."""


def closing(data: bytes, start: int, depth: int, quote: bytes) -> int:
    """Where the closing quote is, with its backslashes; the end of the data where there is none.

    Args:
        data: Any text.
        start: Behind the opening quote.
        depth: The backslashes before the opening quote.
        quote: Which one it is.
    """
    at = data.find(quote, start)
    while at >= 0:
        run = backslashes(data, at, start)
        # one that belongs to the string has an escape of its own: twice as many, and so on
        if run <= depth or (run + 1) // (depth + 1) % 2:
            return at - min(run, depth)
        at = data.find(quote, at + 1)
    return len(data)


def backslashes(data: bytes, at: int, start: int) -> int:
    """How many backslashes stand right before it, looked for no further than to ``start``."""
    first = at
    while first > start and data[first - 1] == 0x5C:
        first -= 1
    return at - first
