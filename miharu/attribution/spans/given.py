"""What a function was given and what it returned, for spans whose content is captured.

A value may be changed by the program the moment after, and an object of its own may not be touched by another
thread. So what is kept is made where the function runs, while it does: texts and numbers as they are, lists
and dictionaries copied, the fields of dataclasses and of pydantic's models, and of any other object the name
of its class. None of the program's code is run for that, and the work is bounded.
"""

import json
import sys
from enum import Enum
from itertools import islice
from types import CodeType, MemberDescriptorType
from typing import Any

__all__ = ("LONGEST", "UNKEPT", "arguments", "as_json", "parameters", "snapshot")

UNKEPT = object()
"""In place of a value that is not kept."""
LONGEST = 12_000
"""Characters of all texts of a value together."""
_MOST, _DEEPEST = 200, 6
"""Values within a value, and how deep they may lie."""
_A_VALUE = 80
"""Bytes of a value, about."""
_MORE = "…"
_PLAIN = frozenset((type(None), bool, int, float))
_WRITTEN = frozenset(("datetime", "decimal", "uuid", "pathlib", "pathlib._local", "fractions"))
"""Modules of Python whose values are kept as they are printed."""


class _Room:
    """How much may still be kept of a value."""

    __slots__ = ("characters", "values")

    def __init__(self) -> None:
        self.values, self.characters = _MOST, LONGEST


def snapshot(value: object) -> tuple[Any, int]:
    """The value in JSON's types, as it is now; and how many bytes it takes, about."""
    room = _Room()
    copied = _copied(value, room, 0)
    return copied, _A_VALUE * (_MOST - room.values) + 2 * (LONGEST - room.characters)


def parameters(function: Any) -> tuple[str, ...]:
    """The names of what the function is given by position; of what is no plain function none."""
    code = getattr(function, "__code__", None)  # of a mock or a proxy anything
    return tuple(code.co_varnames[: code.co_argcount]) if type(code) is CodeType else ()


def arguments(names: tuple[str, ...], args: tuple[Any, ...], options: dict[str, Any]) -> dict[str, Any]:
    """What a function is given, by name, without the object or the class whose method it is."""
    found = dict(zip(names, args, strict=False))
    if names and names[0] in {"self", "cls"}:
        found.pop(names[0], None)
    if len(args) > len(names):
        found["*args"] = args[len(names) :]
    found.update(options)
    return found


def as_json(value: Any) -> str:
    """What ``snapshot`` made, as JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))


def _copied(value: Any, room: _Room, depth: int) -> Any:  # noqa: PLR0911 - a kind of value each
    kind = type(value)  # asking the value itself for its class would run code of the program
    if kind in _PLAIN:
        room.values -= 1
        return value if kind is not int or -(2**63) <= value < 2**63 else _MORE
    if issubclass(kind, str):
        return _text(value, room)
    room.values -= 1
    if issubclass(kind, bytes | bytearray | memoryview):
        return f"<{kind.__name__}>"
    if room.values < 0 or depth > _DEEPEST:
        return _MORE
    if issubclass(kind, Enum):
        name = object.__getattribute__(value, "_name_")
        return f"{kind.__name__}.{name}"
    if issubclass(kind, dict):
        return _fields(list(islice(dict.items(value), _MOST)), dict.__len__(value), room, depth)
    if issubclass(kind, list | tuple | set | frozenset):
        return _items(list(islice(_over(value), _MOST)), _length(value), room, depth)
    if _is_written(value, kind):
        return _text(str(value), room)
    fields = _named(kind)
    if fields is None:
        return f"<{kind.__name__}>"
    found = [(name, _field(value, name)) for name in islice(fields, _MOST)]
    return {kind.__name__: _fields(found, len(fields), room, depth)}


def _is_written(value: Any, kind: type[Any]) -> bool:
    """Whether it is a value of Python's that prints itself, without code of the program and at any size."""
    module = kind.__module__
    if type(module) is not str or module not in _WRITTEN:
        return False
    if getattr(sys.modules.get(module), kind.__name__, None) is not kind:
        return False  # a class of the program's may say that it is from there
    if module == "fractions":
        return all(abs(part) < 2**63 for part in (value.numerator, value.denominator))
    zone = value.tzinfo if module == "datetime" and hasattr(kind, "tzinfo") else None
    return zone is None or type(zone).__module__ in {"datetime", "zoneinfo"}


def _over(value: Any) -> Any:
    """Over a list or a set by the methods of these, not by those of a class that is made of them."""
    base = next(base for base in (list, tuple, set, frozenset) if issubclass(type(value), base))
    return base.__iter__(value)


def _length(value: Any) -> int:
    return next(
        base.__len__(value) for base in (list, tuple, set, frozenset) if issubclass(type(value), base)
    )


def _text(text: str, room: _Room) -> str:
    room.values -= 1
    # by the methods of texts themselves: a class made of them may have others, and a copy may be large
    kept = str.__getitem__(text, slice(max(0, room.characters)))
    room.characters -= len(kept)
    return kept if len(kept) == str.__len__(text) else f"{kept}{_MORE}"


def _items(items: list[Any], whole: int, room: _Room, depth: int) -> list[Any]:
    found = []
    for item in items:
        if room.values <= 0:
            break
        found.append(_copied(item, room, depth + 1))
    if len(found) < whole:
        found.append(f"{_MORE} {whole - len(found)} more")
    return found


def _fields(items: list[tuple[Any, Any]], whole: int, room: _Room, depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in items:
        if room.values <= 0:
            break
        key = name if type(name) is str else str(name) if type(name) in _PLAIN else f"<{type(name).__name__}>"
        found[_text(key, room)] = _copied(value, room, depth + 1)
    if len(items) > len(found) or whole > len(items):
        found[_MORE] = f"{whole - len(found)} more"
    return found


def _named(kind: type[Any]) -> Any:
    """The fields of a dataclass or of a model; ``None`` of any other class."""
    for base in kind.__mro__:
        for name in ("__dataclass_fields__", "__pydantic_fields__"):
            if type(fields := base.__dict__.get(name)) is dict:
                return [field for field in fields if isinstance(field, str)]
    try:
        fields = type.__getattribute__(kind, "__struct_fields__")  # msgspec's metaclass has it
    except AttributeError:
        return None
    return fields if type(fields) is tuple else None


def _field(value: Any, name: str) -> Any:
    """What lies in the object itself: a property, or a column that is yet to be loaded, is not asked."""
    for base in type(value).__mro__:
        slot = base.__dict__.get(name)
        if type(slot) is MemberDescriptorType:
            try:
                return slot.__get__(value)
            except AttributeError:  # nothing was put there yet
                return None
    try:
        own = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return None
    return own.get(name) if type(own) is dict else None
