"""One call of a WebSocket session, and what is kept of a message."""

from dataclasses import replace
from typing import Any

from miharu.exchange import Exchange, Request, ends_of

__all__ = ("Message", "SessionExchange", "kept", "line")

MOST_ASKED = 1 << 20
"""Bytes of a request that is kept whole; of a larger one only the ends are. The program lets go of it as soon
as it is sent, so that it would be held for the call alone."""
Message = bytes | bytearray | memoryview | str


class SessionExchange(Exchange):
    """One call of a session. Its body are the messages that tell of it, one a chunk."""

    __slots__ = ("asked", "facts", "gap", "has_content")

    def __init__(self, facts: Request, asked: bytes | None, *reference: Any) -> None:
        """Begin.

        Args:
            facts: What was asked when the session was opened. Not the session itself, which ends when its
                connection is let go of.
            asked: The message that asks for this answer, if there is one.
            reference: To whom it belongs.
        """
        super().__init__(*reference)
        self.facts = facts
        self.asked = asked
        self.gap: int | None = None
        if asked is not None and len(asked) > MOST_ASKED:
            self.shed = True
            self.abridge_request()
        self.has_content = False
        self.decoded = True

    def asked_size(self) -> int:
        return len(self.asked or b"")

    def abridge_request(self) -> None:
        if self.asked is not None:
            self.asked, self.gap = ends_of(self.asked)

    def request(self) -> Request:
        return replace(self.facts, body=self.asked, gap=self.gap)


def line(message: Message) -> bytes:
    """The same as a line, so that what was cut takes none of the next ones with it."""
    return kept(message) + b"\n"


def kept(message: Message) -> bytes:
    """The message itself where it is bytes already: nothing can change those."""
    return message.encode("utf-8", "replace") if isinstance(message, str) else bytes(message)
