"""Lengths of time as people type them."""

import argparse

from miharu._lengths import UNITS, length_ms

__all__ = ("range_ms", "range_words")


def range_ms(text: str) -> int:
    """Milliseconds of a range such as ``24h``.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    try:
        return length_ms(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}: try 30m, 24h or 7d") from None


def range_words(ms: int) -> str:
    """The range in the largest unit that divides it, such as ``24 hours``; days begin after two of them."""
    for word, unit in reversed(UNITS.values()):
        number, rest = divmod(ms, unit)
        if not rest and (number > 1 or word in {"second", "minute", "hour"}):
            return word if number == 1 else f"{number} {word}s"
    raise AssertionError  # pragma: no cover - seconds divide all
