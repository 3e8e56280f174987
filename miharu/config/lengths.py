"""Lengths of time as people write them, in milliseconds."""

import re
from datetime import timedelta

__all__ = ("UNITS", "length_ms")

UNITS = {"s": ("second", 1_000), "m": ("minute", 60_000), "h": ("hour", 3_600_000)}
UNITS |= {"d": ("day", 86_400_000), "w": ("week", 604_800_000)}


def length_ms(given: object) -> int:
    """Milliseconds of a text such as ``24h``, a number of days, or a ``timedelta``.

    Raises:
        ValueError: It is none of them, or not above zero.
    """
    if isinstance(given, str):
        match = re.fullmatch(r"([1-9]\d{0,5})([smhdw])", given.strip().lower(), re.ASCII)
        if match is not None:
            return int(match[1]) * UNITS[match[2]][1]
    days = timedelta.max.days
    if isinstance(given, int) and not isinstance(given, bool) and 0 < given <= days:
        return given * UNITS["d"][1]
    if isinstance(given, timedelta) and given >= timedelta(milliseconds=1):
        return given // timedelta(milliseconds=1)
    raise ValueError(f"{given!r} is not a length of time")
