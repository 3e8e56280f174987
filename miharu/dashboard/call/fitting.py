"""So much of a conversation as a page can show: the first and the last messages, and so many characters."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from miharu.providers.messages import Message, Part
from miharu.wire.indented import MARK, SHOWN

__all__ = ("ANSWERED", "ASKED", "Chosen", "Room", "chosen")

ASKED = (20, 80)
"""How many of the first messages of a request, and how many of the last."""
ANSWERED = (50, 0)
_CHARACTERS = 250_000
"""Characters of all messages together."""
_LABEL = 200
_LONGEST = SHOWN + 100
"""The longest text, with room for the words that say how much was cut."""


@dataclass(frozen=True, slots=True)
class Chosen:
    messages: Sequence[Message]
    before_gap: int
    left_out: int


def chosen(messages: Iterable[Message], first: int, last: int) -> Chosen:
    """The first and the last of them."""
    head: list[Message] = []
    tail: deque[Message] = deque(maxlen=last)
    number = 0
    for number, one in enumerate(messages, 1):  # noqa: B007 - it counts them
        (head if len(head) < first else tail).append(one)
    return Chosen([*head, *tail], len(head), number - len(head) - len(tail))


class Room:
    """What is left of the characters that a page has."""

    def __init__(self, characters: int = _CHARACTERS) -> None:
        self.left = characters

    def fit(self, messages: Sequence[Message]) -> list[Message]:
        """The same messages, with no more text than there is room for; the last ones have it first."""
        fitting = [replace(one, parts=tuple(map(self._fit, one.parts))) for one in reversed(messages)]
        return fitting[::-1]

    def _fit(self, part: Part) -> Part:
        most = min(_LONGEST, self.left)
        text = part.text if len(part.text) <= most else part.text[:most] + MARK
        self.left -= min(self.left, len(text))
        source = part.source if len(part.source) <= min(most, self.left) else ""
        self.left -= len(source)
        return replace(part, text=text, name=part.name[:_LABEL], id=part.id[:_LABEL], source=source)
