"""The recorded request that is nearest to one that is not in the file, and how it differs."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from miharu.cassettes.question import Ignored, Question, is_at, without
from miharu.cassettes.recorded import Recorded

__all__ = ("told",)

_SHOWN = 10
"""Differences that are told."""
_LONGEST = 160
_LOOKED_AT = 500
"""Recorded requests that are compared."""


def told(
    question: Question, exchanges: Sequence[Recorded], used: Sequence[bool], places: Ignored, where: str
) -> str:
    """What was asked, that it was not recorded, and how the nearest of what was recorded differs."""
    first = f"{question.method} {question.path} was not recorded in {where}, and nothing was sent."
    if not exchanges:
        return f"{first} There is nothing in it."
    best: tuple[tuple[bool, int, bool], int, list[str]] | None = None
    for number, one in enumerate(exchanges[:_LOOKED_AT]):
        lines = list(_differences(question, one, places))
        rank = (not is_at(one.asked, question), len(lines), used[number])
        if best is None or rank < best[0]:
            best = rank, number, lines
    assert best is not None
    _, number, lines = best
    if not lines:
        return (
            f"{first} Exchange {number + 1} of {len(exchanges)} is the same, and was used already: each is "
            "used once, unless reuse=True."
        )
    more = [f"  … and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
    nearest = f"The nearest is exchange {number + 1} of {len(exchanges)}, which differs:"
    return "\n".join([f"{first} {nearest}", *lines[:_SHOWN], *more])


def _differences(question: Question, one: Recorded, places: Ignored) -> Iterator[str]:
    asked = one.asked
    if asked.method != question.method:
        yield _line("method", question.method, asked.method)
    if not is_at(asked, question):
        yield _line("path", question.path, asked.path or f"a path of {asked.api} for {asked.model}")
    if asked.body is not None:
        yield from _of_values("body", without(question.body, places), without(asked.body, places))


def _of_values(place: str, now: Any, then: Any) -> Iterator[str]:
    if isinstance(now, dict) and isinstance(then, dict):
        for name in dict.fromkeys((*now, *then)):
            yield from _of_names(f"{place}.{name}", now, then, name)
    elif isinstance(now, list) and isinstance(then, list):
        for number in range(max(len(now), len(then))):
            here = f"{place}[{number}]"
            if number >= len(then):
                yield _line(here, now[number], None, gone="nothing")
            elif number >= len(now):
                yield _line(here, None, then[number], missing="nothing")
            else:
                yield from _of_values(here, now[number], then[number])
    elif now != then or type(now) is not type(then):
        yield _line(place, now, then)


def _of_names(place: str, now: dict[str, Any], then: dict[str, Any], name: str) -> Iterator[str]:
    if name not in then:
        yield _line(place, now[name], None, gone="nothing")
    elif name not in now:
        yield _line(place, None, then[name], missing="nothing")
    else:
        yield from _of_values(place, now[name], then[name])


def _line(place: str, now: Any, then: Any, *, missing: str = "", gone: str = "") -> str:
    asked, recorded = missing or _short(now, then), gone or _short(then, now)
    return f"  {place}: asked {asked}, recorded {recorded}"


def _short(value: Any, other: Any) -> str:
    """The value, of a long text the part around the first difference."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    if len(text) <= _LONGEST:
        return text
    beside = json.dumps(other, ensure_ascii=False, default=str)
    same = next((at for at, (a, b) in enumerate(zip(text, beside, strict=False)) if a != b), 0)
    start = max(0, same - 40)
    return (
        f"{'…' if start else ''}{text[start : start + _LONGEST]}{'…' if start + _LONGEST < len(text) else ''}"
    )
