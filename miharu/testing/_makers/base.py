"""What a maker's API is to the fake provider, and what it is given to answer with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from miharu.testing._generation import Generation, Prompt
from miharu.testing._replies import Reply

__all__ = ("Asked", "Headers", "Kit", "Maker", "RefusedError")

Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request that the provider has seen."""

    method: str
    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: Any
    """The JSON; ``None`` where there was none."""
    query: str = ""
    """Of the address, as it was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """What all makers share."""

    generate: Callable[[Prompt], Generation]
    ids: Callable[[], str]
    clock: Callable[[], float]

    @property
    def now(self) -> int:
        """Unix seconds."""
        return int(self.clock())


class RefusedError(Exception):
    """A request that the API refuses."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Maker(Protocol):
    """One API."""

    def takes(self, asked: Asked) -> bool:
        """Whether the request is its own."""
        ...

    def model(self, asked: Asked) -> str | None:
        """The model that is asked for."""
        ...

    def reply(self, asked: Asked, *, broken: bool) -> Reply:
        """The answer.

        Args:
            asked: The request.
            broken: Whether a stream tells of an error half way.

        Raises:
            RefusedError: It is not valid, and why.
            AttributeError, KeyError, TypeError, ValueError: The same.
        """
        ...

    def error(self, status: int, message: str | None = None, *, quota: bool = False) -> Reply:
        """An error in its own words, without the headers about when to try again."""
        ...

    def headers(self, millis: int, served: int) -> Headers:
        """Those of every answer, which took so many milliseconds and was that number."""
        ...
