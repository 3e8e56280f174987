"""Lengths of time as people type them."""

import argparse
import re

__all__ = ("range_ms", "range_words")

_UNITS = {"s": ("second", 1_000), "m": ("minute", 60_000), "h": ("hour", 3_600_000)}
_UNITS |= {"d": ("day", 86_400_000), "w": ("week", 604_800_000)}


def range_ms(text: str) -> int:
    """Milliseconds of a range such as ``24h``.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    match = re.fullmatch(r"([1-9]\d{0,5})([smhdw])", text.strip().lower(), re.ASCII)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no length of time: try 30m, 24h or 7d")
    return int(match[1]) * _UNITS[match[2]][1]


def range_words(ms: int) -> str:
    """The range in the largest unit that divides it, such as ``24 hours``; days begin after two of them."""
    for word, unit in reversed(_UNITS.values()):
        number, rest = divmod(ms, unit)
        if not rest and (number > 1 or word in {"second", "minute", "hour"}):
            return word if number == 1 else f"{number} {word}s"
    raise AssertionError  # pragma: no cover - seconds divide all
