"""Numbers with their units, as people write them and as stores compare them."""

import re
from decimal import Decimal

from miharu.conditions.fields import Kind
from miharu.conditions.language import LARGEST

__all__ = ("Unreadable", "read_number", "write_number")

_NUMBER = r"(?:\d{1,16}(?:\.\d{1,9})?|\.\d{1,9})"
_MONEY = re.compile(rf"(\$?)({_NUMBER})(ct|c|¢|\$)?")
_PART = re.compile(rf"({_NUMBER})(ms|s|min|m|h|d)")
_COUNT = re.compile(rf"({_NUMBER})([kKMB])?")
_SCORE = re.compile(r"-?(?:\d{1,15}(?:\.\d{1,9})?|\.\d{1,9})")
_LENGTHS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "min": 60_000, "s": 1000, "ms": 1}
_TIMES = {"k": 10**3, "K": 10**3, "M": 10**6, "B": 10**9}
_WRITTEN = (("h", 3_600_000), ("m", 60_000), ("s", 1000))
_SECONDS = re.compile(rf"({_NUMBER}) ?(?:sec|secs|second|seconds)")
_NANO = 10**9


class Unreadable(Exception):  # noqa: N818 - of a value, not of the program
    """Why a text is not such a number, and what mends it."""

    def __init__(self, reason: str, remedy: str | None = None) -> None:
        super().__init__(reason)
        self.reason, self.remedy = reason, remedy


def read_number(kind: Kind, text: str) -> int | float:
    """Nano-dollars, milliseconds, a count or a score.

    Raises:
        Unreadable: It is none.
    """
    if kind == "number":
        if _SCORE.fullmatch(text) is None:
            raise Unreadable(f"{_cut(text)} is not a number. Write 0.5 or 4.")
        return float(text) + 0.0  # minus nought is nought
    number = {"money": _money, "duration": _duration, "count": _count}[kind](text)
    if number != number.to_integral_value():
        raise Unreadable(
            {
                "money": f"{_cut(text)} is finer than a billionth of a dollar.",
                "duration": f"{_cut(text)} is finer than a millisecond.",
                "count": f"{_cut(text)} is not a whole number.",
            }[kind]
        )
    if number > LARGEST:
        raise Unreadable(f"{_cut(text)} is larger than anything that is kept.")
    return int(number)


def write_number(kind: Kind, value: float) -> str:
    """The shortest text that is read as exactly this number."""
    if kind == "money":
        return _plain(Decimal(int(value)) / _NANO)
    if kind == "duration":
        return next(
            (f"{int(value) // length}{unit}" for unit, length in _WRITTEN if value and not value % length),
            f"{int(value)}ms",
        )
    if kind == "count":
        return next(
            (f"{int(value) // _TIMES[unit]}{unit}" for unit in "Mk" if value and not value % _TIMES[unit]),
            str(int(value)),
        )
    return _plain(Decimal(repr(float(value))).quantize(Decimal("1e-9")) + 0)


def _money(text: str) -> Decimal:
    found = _MONEY.fullmatch(text)
    if found is None or (found[1] and found[3]):
        commas = re.fullmatch(r"\$?(\d+),(\d+)", text)
        raise Unreadable(
            f"{_cut(text)} is not an amount. Write dollars, as 0.01, or cents, as 1ct.",
            f"{commas[1]}.{commas[2]}" if commas else None,
        )
    return Decimal(found[2]) * (_NANO // 100 if found[3] in {"ct", "c", "¢"} else _NANO)


def _duration(text: str) -> Decimal:
    at, whole, last = 0, Decimal(0), max(_LENGTHS.values()) + 1
    while (found := _PART.match(text, at)) is not None and _LENGTHS[found[2]] < last:
        last = _LENGTHS[found[2]]
        whole += Decimal(found[1]) * last
        at = found.end()
    if at == 0 or at < len(text):
        raise Unreadable(
            f"{_cut(text)} is not a duration. Write 500ms, 10s, 1.5m or 1m30s.", _with_unit(text, at, last)
        )
    return whole


def _with_unit(text: str, at: int, last: int) -> str | None:
    """Where only the unit is missing or too long: seconds, or what is next below the one before."""
    if (found := _SECONDS.fullmatch(text)) is not None:
        return f"{found[1]}s"
    if re.fullmatch(_NUMBER, text[at:]) is None:
        return None
    unit = {86_400_000: "h", 3_600_000: "m", 60_000: "s", 1000: "ms", 1: None}.get(last, "s")
    return f"{text}{unit}" if unit else None


def _count(text: str) -> Decimal:
    found = _COUNT.fullmatch(text)
    if found is None:
        plain = re.sub(r"(?<=\d)[,_](?=\d{3}(?!\d))", "", text)
        if plain.endswith("m"):
            plain = f"{plain[:-1]}M"
        raise Unreadable(
            f"{_cut(text)} is not a count. Write 800, 50k or 1.5M.",
            plain if plain != text and _COUNT.fullmatch(plain) else None,
        )
    return Decimal(found[1]) * _TIMES.get(found[2] or "", 1)


def _plain(number: Decimal) -> str:
    written = f"{number:f}"
    return written.rstrip("0").rstrip(".") if "." in written else written


def _cut(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"
