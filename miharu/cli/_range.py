"""Lengths of time and moments, as users type them."""

import argparse
import time
from datetime import UTC, datetime

from miharu.config.lengths import UNITS, length_ms

__all__ = ("moment_ms", "moment_words", "range_ms", "range_words")


def range_ms(text: str) -> int:
    """Milliseconds of a range such as ``24h``.

    Raises:
        argparse.ArgumentTypeError: It is not a valid range.
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


def moment_ms(text: str, now_ms: int | None = None) -> int:
    """Unix milliseconds of a moment: a length of time back from now, or a date such as ``2026-11-30`` (UTC).

    Raises:
        argparse.ArgumentTypeError: It is not a valid moment.
    """
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        pass
    else:
        return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    try:
        length = range_ms(text)
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a moment: try 90d, for so long ago, or a date such as 2026-11-30"
        ) from None
    return (time.time_ns() // 1_000_000 if now_ms is None else now_ms) - length


def moment_words(ms: int) -> str:
    """The moment in UTC, to the minute."""
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"
