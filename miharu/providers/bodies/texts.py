"""The texts of a call as people read them, each with who said it: for search."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from miharu.call import Call
from miharu.providers.base import Provider
from miharu.providers.bodies.said import said_in

__all__ = ("Text", "texts_in")

Speaker = Literal["system", "user", "assistant", "tool"]
_ROLES: dict[str, Speaker] = {
    "system": "system",
    "developer": "system",
    "assistant": "assistant",
    "model": "assistant",
    "tool": "tool",
    "function": "tool",
}
_SPOKEN = ("text", "thinking", "refusal")


@dataclass(frozen=True, slots=True)
class Text:
    """One part of a message."""

    role: Speaker
    text: str
    name: str = ""
    """Of the tool."""


def texts_in(call: Call, own: Sequence[Provider] = ()) -> Iterator[Text]:
    """The texts of a call with its body, what came last first; pictures, sounds and vectors are left out.

    Args:
        call: With its body.
        own: Wire formats that the program has brought.
    """
    said = said_in(call, own)
    if said is None:
        return
    for message in reversed([*said.asked, *said.answered]):
        role = _ROLES.get(message.role.lower(), "user")
        for part in reversed(message.parts):
            if part.kind in _SPOKEN and part.text:
                yield Text(role, part.text)
            elif part.kind in {"call", "result"}:
                yield Text("tool", f"{part.name} {part.text}".strip(), part.name)
