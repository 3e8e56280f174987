"""One exchange with a model, as it is recorded and played."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ("Asked", "Recorded")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked."""

    method: str = "POST"
    path: str | None = None
    """``None`` of a call out of a database, which does not keep it; ``api`` says then where it went."""
    api: str | None = None
    """The wire format, such as ``openai.chat``."""
    model: str | None = None
    """Of a call out of a database, whose path may have named it."""
    stream: bool = False
    host: str | None = None
    """For those who read the file: it is not compared."""
    body: Any = None
    """In the form in which requests are compared (``question.py``); ``None`` where it was not kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One exchange: what was asked and what came back."""

    asked: Asked
    status: int | None = None
    """``None`` where no response came."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Of the response, names in lower case; only those that an SDK acts upon."""
    pieces: Sequence[bytes] = ()
    """The response's body as it came, content-encoding undone: whole, or piece by piece."""
    at_ms: Sequence[int] = ()
    """When each of the pieces came, in milliseconds since the request, where that is known."""
    ttft_ms: int | None = None
    duration_ms: int = 0
    error_type: str | None = None
    """The qualified name of the exception that has ended it: there was no response, or it broke off."""
    error_message: str | None = None

    @property
    def is_broken(self) -> bool:
        """Whether an exception has ended it, on the way there or on the way back."""
        return self.error_type is not None

    def schedule(self, *, paced: bool) -> Iterator[tuple[float, bytes]]:
        """Each piece of the body, with the seconds to wait before it.

        Paced, they come when they came; where that is not known, the first of several comes with the first
        content and the others follow in even steps until the end.
        """
        before = 0.0
        for at, piece in zip(self._moments(), self.pieces, strict=True):
            yield (max(0.0, at - before) / 1000 if paced else 0.0), piece
            before = max(at, before)

    @property
    def before_s(self) -> float:
        """Seconds until the response begins, where nothing more is known than how long it took."""
        return self.duration_ms / 1000

    def _moments(self) -> Sequence[float]:
        number = len(self.pieces)
        if len(self.at_ms) == number:
            return self.at_ms
        first = self.ttft_ms if self.ttft_ms is not None and number > 1 else self.duration_ms
        step = max(0, self.duration_ms - first) / max(1, number - 1)
        return [first + step * place for place in range(number)]
