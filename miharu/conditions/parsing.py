"""A text as conditions and words. What is not understood is said in full, and nothing is guessed.

    text       = { condition | word }           with spaces between; all of them hold
    condition  = [ "-" ] field ":" values       one of the values; with a minus none of them
               | field ( ">" | ">=" | "<" | "<=" ) number
               | [ "-" ] ( "tag" | "score" ) ":" name [ "=" values ]
               | "score" ":" name ( ">" | ">=" | "<" | "<=" ) number
    values     = value { "," value }            "*" alone: anything that is known
    value      = text without spaces, commas and quotes, or in quotes; "*" outside of quotes is any text
    word       = the same without ":" "=" "<" ">", or in quotes

An equals sign in place of a colon is understood as well, as addresses have it.
"""

import re
from typing import Any, NamedTuple, cast

from miharu.conditions.faults import Fault, mended, nearest
from miharu.conditions.fields import ERRORS, FIELDS, KINDS, STATUSES, Field, is_text
from miharu.conditions.language import (
    LONGEST_TEXT,
    MOST_CONDITIONS,
    MOST_WORDS,
    Condition,
    Conditions,
    Operator,
    is_storable,
)
from miharu.conditions.units import Unreadable, read_number
from miharu.conditions.values import Given, bare_end, closing, read_values, unescaped
from miharu.conditions.writing import NEVER, RESERVED, quoted
from miharu.errors import ConditionError

__all__ = ("conditions_in", "has_conditions", "parse")

_HEAD = re.compile(r"(-?)([A-Za-z_][A-Za-z_.]*)(!=|<=|>=|=<|=>|[:=<>])")
_NAME = re.compile(r'(?:"((?:[^"\\]|\\["\\])*)"|[^\s",*\\=<>!]+)')
_BEHIND_NAME = re.compile(r"!=|<=|>=|=<|=>|[=<>]")
_PHRASE = re.compile(r'"((?:[^"\\]|\\["\\])*)"')
_GAP = re.compile(r"\s+")
_LIKE = {":": "in", "=": "in"}
_TURNED = {"=<": "<=", "=>": ">="}
_INVERSE = {">": "<=", ">=": "<", "<": ">=", "<=": ">"}
_ENDS = {
    **dict.fromkeys(("ok", "succeeded", "successful"), "success"),
    **dict.fromkeys(("failed", "failure", "errors"), "error"),
    **dict.fromkeys(("canceled", "aborted"), "cancelled"),
}
_FAILED = {(">", "0"): True, (">=", "1"): True, ("in", "0"): False, ("<", "1"): False, ("<=", "0"): False}
"""What ``errors>0`` and its like say of a single call: whether it failed."""


def parse(text: str, *, of_groups: bool = False) -> Conditions:
    """The conditions and words of a text.

    Args:
        text: What is asked for.
        of_groups: Whether ``errors>5`` is about those that are listed; else it is about single calls.

    Raises:
        ConditionError: It is not understood; the error says every place, why and what mends it.
    """
    found, faults = _read(text, of_groups=of_groups)
    if not faults:
        return found
    better = mended(text, faults)
    mends = better is not None and not _read(better, of_groups=of_groups)[1]
    raise ConditionError(text, tuple(faults), better if mends else None)


def conditions_in(text: str) -> tuple[Condition, ...]:
    """The conditions of a text without words, for where words cannot be searched for.

    Raises:
        ConditionError: It is not understood, or has words.
    """
    found = parse(text)
    if not found.words:
        return found.conditions
    faults = [
        Fault(token.start, token.end, "Words are not searched for here. Write a field before it, as model:.")
        for token in _tokens(text)
        if token.word is not None
    ]
    raise ConditionError(text, tuple(faults), None)


def has_conditions(text: str) -> bool:
    """Whether any part of it looks like a condition: a find box has to know."""
    if len(text) > LONGEST_TEXT:
        return False
    return any(token.word is None and _is_meant(text, token.start) for token in _tokens(text))


def _is_meant(text: str, start: int) -> bool:
    """Whether what looks like a condition is one: names of models have colons too."""
    head = _HEAD.match(text, start)
    return head is not None and (head[3] not in _LIKE or nearest(head[2], [*FIELDS, "errors"]) is not None)


class _Token(NamedTuple):
    """A condition or a word, as far as it was understood."""

    start: int
    end: int
    condition: Condition | None
    word: str | None
    faults: tuple[Fault, ...] = ()


def _read(text: str, *, of_groups: bool = False) -> tuple[Conditions, list[Fault]]:
    if len(text) > LONGEST_TEXT:
        reason = f"This is longer than {LONGEST_TEXT:,} characters."
        return Conditions(), [Fault(LONGEST_TEXT, len(text), reason)]
    tokens = _tokens(text, of_groups=of_groups)
    faults = [fault for token in tokens for fault in token.faults]
    conditions = [token for token in tokens if token.condition is not None]
    words = [token for token in tokens if token.word is not None]
    for some, most, what in ((conditions, MOST_CONDITIONS, "conditions"), (words, MOST_WORDS, "words")):
        if len(some) > most:
            faults.append(Fault(some[most].start, len(text), f"At most {most} {what} are possible."))
    found = Conditions(
        tuple(dict.fromkeys(token.condition for token in conditions if token.condition)),
        tuple(dict.fromkeys(token.word for token in words if token.word)),
    )
    return found, faults


def _tokens(text: str, *, of_groups: bool = False) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while True:
        gap = _GAP.match(text, at)
        at = gap.end() if gap else at
        if at >= len(text):
            return tokens
        head = _HEAD.match(text, at)
        token = _condition(text, head, of_groups=of_groups) if head else _word(text, at)
        tokens.append(token)
        at = max(token.end, at + 1)


def _word(text: str, start: int) -> _Token:
    phrase = _PHRASE.match(text, start)
    end = phrase.end() if phrase else bare_end(text, start)
    whole = text[start:end]

    def refused(reason: str, remedy: str | None = None) -> _Token:
        return _Token(start, end, None, "", (Fault(start, end, reason, remedy),))

    if phrase is None and whole.startswith('"'):
        fault = closing(text, start)
        return _Token(start, len(text), None, "", (fault,))
    if end < len(text) and not text[end].isspace():
        end = bare_end(text, end)
        return refused("A space is missing behind the quote.", f"{whole} {text[start + len(whole) : end]}")
    word = unescaped(phrase[1]) if phrase else whole
    if not word.strip():
        return refused("There is nothing in these quotes.", "")
    if not is_storable(word):
        return refused("This is too long, or has characters that no text has.")
    if phrase is None and (reason := _odd(word)) is not None:
        return refused(reason, None if word in RESERVED else quoted(word, NEVER))
    return _Token(start, end, None, word)


def _odd(word: str) -> str | None:
    """Why a bare word is probably none."""
    if word == "OR":
        return "Several values are written with commas, as model:a,b. The word itself is written in quotes."
    if word in RESERVED:
        what = "All conditions hold anyway" if word == "AND" else "A minus before a condition is a not"
        return f"{what}. The word itself is written in quotes."
    if '"' in word or "\\" in word:
        return "Words with a quote or a backslash are written in quotes."
    if word[0] in "-!":
        return "Only conditions can be excluded, as in -user:u_1. A word is written in quotes."
    if any(sign in word for sign in ":=<>"):
        return "No field is named here. A text with : = < > is written in quotes."
    return None


def _condition(text: str, head: re.Match[str], *, of_groups: bool) -> _Token:  # noqa: PLR0911 - one kind after the other
    start, at = head.start(), head.end()
    minus, name, sign = head[1], head[2], head[3]
    field = FIELDS.get(name)
    if field is None and name != "errors":
        # what follows is read all the same, so that its own faults are said with this one
        end = max(read_values(text, at).end, bare_end(text, at))
        near = nearest(name, [*FIELDS, "errors"])
        possible = "" if near else f" Possible are {', '.join(FIELDS)}."
        reason = f"{_cut(name)} is not a field.{possible}"
        return _Token(start, end, None, None, (Fault(head.start(2), head.end(2), reason, near),))
    own: str | None = None
    if field is not None and field.named:
        named = _NAME.match(text, at) if sign in _LIKE else None
        if named is None or not (own := _own(named)):
            return _unnamed(text, head, field)
        at = named.end()
        behind = _BEHIND_NAME.match(text, at)
        if behind is None:
            return _known(text, start, at, field, own, is_not=bool(minus))
        sign, at = behind[0], behind.end()
    if sign not in {*_LIKE, *_INVERSE}:
        return _odd_sign(text, head, sign, at)
    if field is None:
        return _errors_of_groups(text, head, sign, at) if of_groups else _errors(text, head, sign, at)
    if sign in _LIKE:
        return _chosen(text, start, at, field, own, is_not=bool(minus))
    return _threshold(text, (start, at), field, own, sign=sign, is_not=bool(minus))


def _own(named: re.Match[str]) -> str | None:
    name = unescaped(named[1]) if named[1] is not None else named[0]
    return name if name.strip() and is_storable(name) else None


def _unnamed(text: str, head: re.Match[str], field: Field) -> _Token:
    end = bare_end(text, head.end())
    example = "tag:team=search" if field.name == "tag" else "score:helpful<0.5"
    reason = f"The name of the {field.name} is missing. Write it as {example}."
    return _Token(head.start(), end, None, None, (Fault(head.start(2), end, reason),))


def _odd_sign(text: str, head: re.Match[str], sign: str, at: int) -> _Token:
    end = max(read_values(text, at).end, bare_end(text, at))
    if sign in _TURNED:
        fault = Fault(at - 2, at, f"{sign} is written {_TURNED[sign]}.", _TURNED[sign])
    else:
        before = text[head.start(2) : at - 2]
        equals = "=" if before.startswith(("tag:", "score:")) else ":"
        reason = "Not equal is written with a minus before the field."
        fault = Fault(head.start(), at, reason, None if head[1] else f"-{before}{equals}")
    return _Token(head.start(), end, None, None, (fault,))


def _known(text: str, start: int, end: int, field: Field, own: str, *, is_not: bool) -> _Token:
    if end < len(text) and not text[end].isspace():
        stop = bare_end(text, end)
        reason = f"This is not understood behind a name. Write {field.name}:name=value."
        return _Token(start, stop, None, None, (Fault(end, stop, reason),))
    operator: Operator = "none" if is_not else "any"
    return _Token(start, end, Condition(field=field.column, operator=operator, name=own), None)


def _chosen(text: str, start: int, at: int, field: Field, own: str | None, *, is_not: bool) -> _Token:
    read = read_values(text, at)
    if read.faults:
        return _Token(start, read.end, None, None, read.faults)
    if any(given.pieces == ("", "") for given in read.given):
        operator: Operator = "none" if is_not else "any"
        return _Token(start, read.end, Condition(field=field.column, operator=operator, name=own), None)
    made = [_value(field, given) for given in read.given]
    if faults := tuple(one for one in made if isinstance(one, Fault)):
        return _Token(start, read.end, None, None, faults)
    condition = Condition(
        field=field.column,
        operator="not in" if is_not else "in",
        values=tuple(dict.fromkeys(cast("Any", one) for one in made if not isinstance(one, tuple))),
        patterns=tuple(dict.fromkeys(one for one in made if isinstance(one, tuple))),
        name=own,
    )
    return _Token(start, read.end, condition, None)


def _value(field: Field, given: Given) -> Any:  # noqa: PLR0911 - one kind after the other
    """The value, a pattern of it, or what is wrong with it."""
    whole = "*".join(given.pieces)
    if field.kind == "text":
        if len(given.pieces) == 1:
            return whole
        if any(given.pieces):
            return given.pieces
        return Fault(given.start, given.end, "One star alone stands for anything.", "*")
    if len(given.pieces) > 1:
        return Fault(given.start, given.end, f"Stars are not possible in {field.name}, {KINDS[field.kind]}.")
    if field.kind == "status":
        if whole in STATUSES:
            return whole
        near = _ENDS.get(whole.lower()) or nearest(whole, STATUSES)
        reason = f"{_cut(whole)} is not a status. Possible are {', '.join(STATUSES)}."
        return Fault(given.start, given.end, reason, near)
    return _number(field, whole, given.start, given.end)


def _number(field: Field, written: str, start: int, end: int) -> Any:
    try:
        return read_number(field.kind, written)
    except Unreadable as error:
        return Fault(start, end, error.reason, error.remedy)


def _threshold(
    text: str, span: tuple[int, int], field: Field, own: str | None, *, sign: str, is_not: bool
) -> _Token:
    start, at = span
    end = bare_end(text, at)

    def refused(fault: Fault) -> _Token:
        return _Token(start, end, None, None, (fault,))

    if is_text(field):
        colon = "=" if field.named else ":"
        reason = f"{field.name} has no order, so that only {colon} is possible."
        return refused(Fault(at - len(sign), at, reason, colon))
    if at == end:
        return refused(Fault(at, at, f"A value is missing here: {KINDS[field.kind]}."))
    number = _number(field, text[at:end], at, end)
    if isinstance(number, Fault):
        return refused(number)
    if is_not:
        turned = f"{text[start + 1 : at - len(sign)]}{_INVERSE[sign]}{text[at:end]}"
        reason = "A threshold has no minus, because what is not known is on neither side of it."
        return refused(Fault(start, end, reason, turned))
    return _Token(
        start,
        end,
        Condition(field=field.column, operator=cast("Operator", sign), values=(number,), name=own),
        None,
    )


def _errors(text: str, head: re.Match[str], sign: str, at: int) -> _Token:
    """A call fails once or not at all, so ``errors>0`` is ``status:error``."""
    start, end = head.start(), bare_end(text, at)
    failed = _FAILED.get((_LIKE.get(sign, sign), text[at:end]))
    if failed is None:
        reason = "A single call fails once or not at all: only errors>0 and errors:0 are possible."
        return _Token(start, end, None, None, (Fault(head.start(2), end, reason),))
    operator: Operator = "in" if failed is not bool(head[1]) else "not in"
    return _Token(start, end, Condition(field="status", operator=operator, values=("error",)), None)


def _errors_of_groups(text: str, head: re.Match[str], sign: str, at: int) -> _Token:
    """How many calls of each that is listed failed; a minus turns it round."""
    start, end = head.start(), bare_end(text, at)
    number = _number(ERRORS, text[at:end], at, end)
    if isinstance(number, Fault):
        return _Token(start, end, None, None, (number,))
    operator = cast("Operator", _LIKE.get(sign, sign))
    if head[1]:
        operator = cast("Operator", _INVERSE[sign]) if sign in _INVERSE else "not in"
    condition = Condition(field=ERRORS.column, operator=operator, values=(number,))
    return _Token(start, end, condition, None)


def _cut(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"
