"""Where the words that were searched for stand in a call."""

from collections.abc import Sequence
from dataclasses import dataclass

from miharu.call import Call
from miharu.providers.base import Provider
from miharu.providers.bodies.texts import Text, texts_in
from miharu.stores.words import MOST_SIGNS, Phrase, Role, places_of

__all__ = ("Passage", "Passages", "Piece", "passages")

_BEFORE, _LONGEST = 60, 240
_SHOWN = 2
_SPEAKERS: dict[Role, str] = {"system": "System", "user": "User", "assistant": "Assistant", "tool": "Tool"}


@dataclass(frozen=True, slots=True)
class Piece:
    text: str
    is_hit: bool


@dataclass(frozen=True, slots=True)
class Passage:
    """A few words around a place."""

    role: Role
    speaker: str
    pieces: Sequence[Piece]


@dataclass(frozen=True, slots=True)
class Passages:
    """The first of a call, and how many places more there are."""

    shown: Sequence[Passage]
    more: int


def passages(
    call: Call, sought: Sequence[Phrase], said_by: Role | None = None, own: Sequence[Provider] = ()
) -> Passages:
    """The passages of a call with its body, of what came last the first.

    Args:
        call: With its body.
        sought: What was searched for.
        said_by: Whose words; anyone's where ``None``.
        own: Wire formats that the program has brought.
    """
    shown: list[Passage] = []
    places, left = 0, MOST_SIGNS
    for text in texts_in(call, own):
        if left <= 0:
            break
        read, left = text.text[:left], left - len(text.text)
        if said_by is not None and text.role != said_by:
            continue
        found = places_of(read, sought)
        places += len(found)
        if found and len(shown) < _SHOWN:
            passage = _around(text, read, found)
            places -= sum(piece.is_hit for piece in passage.pieces)
            shown.append(passage)
    return Passages(shown, places)


def _around(text: Text, read: str, found: Sequence[tuple[int, int]]) -> Passage:
    start = max(0, found[0][0] - _BEFORE)
    if start and " " in read[start : found[0][0]]:
        start = read.index(" ", start) + 1  # at a word's beginning
    end = min(len(read), start + _LONGEST)
    pieces = [Piece("…", is_hit=False)] if start else []
    at = start
    for first, last in found:
        if first >= end:
            break
        pieces += [Piece(read[at:first], is_hit=False), Piece(read[first : min(last, end)], is_hit=True)]
        at = min(last, end)
    pieces += [Piece(read[at:end], is_hit=False)]
    pieces += [Piece("…", is_hit=False)] if end < len(text.text) else []
    speaker = text.name if text.role == "tool" and text.name else _SPEAKERS[text.role]
    return Passage(text.role, speaker[:60], [piece for piece in pieces if piece.text])
