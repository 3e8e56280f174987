"""What a sender is answered, and what an endpoint is."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from miharu.monitor import Monitor

__all__ = ("STORED_WITHIN_S", "Answer", "Endpoint", "Refusal", "Sent", "as_json")

STORED_WITHIN_S = 20.0
"""How long a sender waits for the database: less than senders wait for an answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, content type, body, and headers beside those that all answers have."""

    status: int
    body: bytes = b"{}"
    kind: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent."""

    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    """As it came, content-encoding and all."""


class Refusal(Exception):  # noqa: N818 - an answer
    """Nothing of it was stored; the words say why."""

    def __init__(self, status: int, words: str, *, again_s: int | None = None) -> None:
        super().__init__(words)
        self.status = status
        self.again_s = again_s
        """After how many seconds it may be sent again."""

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        return () if self.again_s is None else (("Retry-After", str(self.again_s)),)


class Endpoint(Protocol):
    """Takes in what is sent to one address."""

    largest: int
    """Bytes of a body, as it comes."""

    def take(self, sent: Sent, monitor: "Monitor") -> Answer:
        """Store it. Runs on a thread of its own.

        Raises:
            Refusal: It is not stored.
            StoreError: It may be stored later.
        """
        ...

    def refused(self, refusal: Refusal, headers: Mapping[str, str]) -> Answer:
        """A refusal in the form that senders to this address understand."""
        ...


def as_json(status: int, facts: Mapping[str, Any], headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    return Answer(status, json.dumps(facts).encode(), headers=headers)
