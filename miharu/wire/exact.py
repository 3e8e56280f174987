"""JSON for people to read: the same numbers and names as in its text, also those that a value cannot hold."""

import json
from collections.abc import Sequence
from typing import Any, Self

from miharu.wire.large import LARGE

__all__ = ("Number", "Pairs", "exact", "items")


class Number(float):
    """A number whose text a float does not give back, such as ``1.10`` or ``1e400``."""

    text: str

    def __new__(cls, text: str) -> Self:
        number = super().__new__(cls, text)
        number.text = text
        return number


class Pairs(dict[str, Any]):
    """An object in which a name stands more than once."""

    pairs: Sequence[tuple[str, Any]]


def exact(data: bytes | str) -> Any:
    """The value; ``None`` where it is no JSON, or too large to be read by Python's own parser."""
    if len(data) >= LARGE:
        return None
    try:
        return _DECODER.decode(data if isinstance(data, str) else data.decode())
    except (ValueError, RecursionError):
        return None


def items(value: dict[str, Any] | list[Any]) -> Sequence[tuple[Any, Any]]:
    """Every name with its value, also one that stands more than once; of a list, the places."""
    if isinstance(value, list):
        return list(enumerate(value))
    return value.pairs if isinstance(value, Pairs) else list(value.items())


def _float(text: str) -> float:
    number = float(text)
    return number if repr(number) == text else Number(text)


def _int(text: str) -> float:
    return Number(text) if text == "-0" else int(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    whole = Pairs(found)
    whole.pairs = pairs
    return whole


_DECODER = json.JSONDecoder(parse_float=_float, parse_int=_int, object_pairs_hook=_object)
