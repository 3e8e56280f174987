"""The values behind a field's name: bare or in quotes, with commas between, with stars for any text."""

import re
from dataclasses import dataclass

from miharu.conditions.faults import Fault
from miharu.conditions.language import LONGEST_VALUE, MOST_STARS, MOST_VALUES, Pattern, is_storable
from miharu.conditions.writing import quoted

__all__ = ("Given", "Values", "bare_end", "closing", "read_values", "unescaped")

_PIECE = re.compile(r'[^\s",*]+')
_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])*)"')
_SPACE = re.compile(r"\s")


@dataclass(frozen=True, slots=True)
class Given:
    """One value, and where it stands."""

    start: int
    end: int
    pieces: Pattern
    """What stands between its stars; one where it has none."""
    is_bare: bool


@dataclass(frozen=True, slots=True)
class Values:
    """What was read up to a space or the end."""

    given: tuple[Given, ...]
    faults: tuple[Fault, ...]
    end: int


def read_values(text: str, at: int) -> Values:
    """The values from a place on, as far as they reach."""
    given: list[Given] = []
    start = at
    while True:
        one = _read_value(text, at)
        if isinstance(one, Fault):
            return Values((), (one,), max(one.end, bare_end(text, at)))
        given.append(one)
        at = one.end
        if at >= len(text) or text[at] != ",":
            break
        at += 1
    if len(given) > MOST_VALUES:
        fault = Fault(start, at, f"These are {len(given)} values: at most {MOST_VALUES} are possible.")
        return Values((), (fault,), at)
    return Values(tuple(given), (), at)


def _read_value(text: str, start: int) -> Given | Fault:
    pieces, at, is_bare = [""], start, True
    filled = False
    """Whether the piece is complete: only a star can follow."""
    while at < len(text) and text[at] != "," and not _SPACE.match(text, at):
        if text[at] == "*":
            pieces.append("")
            filled = False
            at += 1
        elif filled or (text[at] == '"' and pieces[-1]):
            return _mixed(text, start)
        elif text[at] == '"':
            found = _QUOTED.match(text, at)
            if found is None:
                return closing(text, at)
            pieces[-1], at, filled, is_bare = unescaped(found[1]), found.end(), True, False
        else:
            found = _PIECE.match(text, at)
            assert found is not None  # no space, comma, star or quote
            pieces[-1], at = found[0], found.end()
    if at == start:
        return Fault(start, start, "A value is missing here.")
    given = Given(start, at, tuple(pieces), is_bare)
    return _bounded(text, given) or given


def _bounded(text: str, given: Given) -> Fault | None:
    start, end = given.start, given.end
    whole = "*".join(given.pieces)
    if len(whole) > LONGEST_VALUE:
        return Fault(start, end, f"This value is longer than {LONGEST_VALUE} characters.")
    if not is_storable(whole):
        return Fault(start, end, "This value has characters that no text has.")
    if len(given.pieces) > MOST_STARS + 1:
        reason = f"At most {MOST_STARS} stars are possible in a value; in quotes a star stands for itself."
        return Fault(start, end, reason, quoted(text[start:end]) if given.is_bare else None)
    return None


def _mixed(text: str, start: int) -> Fault:
    """A quote in the middle of a value, or text behind one."""
    end = bare_end(text, start)
    reason = 'A value is in quotes as a whole, or not at all; inside of quotes, \\" is a quote.'
    whole = text[start:end]
    return Fault(
        start, end, reason, quoted(whole) if "," not in whole and len(whole) < LONGEST_VALUE else None
    )


def closing(text: str, start: int) -> Fault:
    """A quote that is opened, and not closed as it should be."""
    rest = text[start + 1 :]
    if "\\" in rest:
        bad = re.search(r'\\(?!["\\])', rest)
        if bad is not None and '"' not in rest[: bad.start()]:
            at = start + 1 + bad.start()
            return Fault(at, at + 1, 'Inside of quotes, \\\\ is a backslash and \\" a quote.', "\\\\")
    mends = bool(rest) and not rest.endswith("\\")
    return Fault(start, len(text), "The quote opened here is not closed.", f'"{rest}"' if mends else None)


def unescaped(inside: str) -> str:
    """What stands in quotes."""
    return re.sub(r"\\(.)", r"\1", inside, flags=re.DOTALL)


def bare_end(text: str, at: int) -> int:
    """Where the next space is, or the end."""
    found = _SPACE.search(text, at)
    return found.start() if found else len(text)
