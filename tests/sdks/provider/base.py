"""What each format is: a question that it recognises, an answer, an error."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

__all__ = ("WORDS", "Format", "Question", "Reply", "Told", "named", "plain", "reply_json", "reply_stream")

WORDS = ("It ", "rains ", "in ", "Hue.")
"""What the models say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A request that is a model call."""

    api: str
    path: str
    model: str
    stream: bool
    asked: Mapping[str, Any]

    @property
    def tool(self) -> bool:
        """Whether a tool has to be called: there is one, and no result of it yet."""
        said = json.dumps(self.asked.get("messages") or self.asked.get("contents") or [])
        answered = any(mark in said for mark in ('"tool_result"', '"role": "tool"', '"functionResponse"'))
        return bool(self.asked.get("tools")) and not answered


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    status: int
    headers: tuple[tuple[str, str], ...]
    frames: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one answer said, in miharu's normal form."""

    api: str
    model: str | None
    """As the answer names it, else as asked."""
    status: int = 200
    stream: bool = False
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    finish_reason: str | None = None


class Format(Protocol):
    def question(self, path: str, asked: Mapping[str, Any]) -> Question | None: ...
    async def answer(self, question: Question) -> tuple[Reply, Told]: ...
    def error(self, status: int) -> Any: ...


def reply_json(value: Any, *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    return Reply(
        status=status,
        headers=(("content-type", "application/json"), *headers),
        frames=(json.dumps(value).encode(),),
    )


def reply_stream(frames: Iterable[bytes], kind: str = "text/event-stream; charset=utf-8") -> Reply:
    return Reply(status=200, headers=(("content-type", kind),), frames=tuple(frames))


def plain(value: Any, newline: str = "\n") -> bytes:
    """A frame of an event stream."""
    return f"data: {json.dumps(value)}{newline}{newline}".encode()


def named(value: Mapping[str, Any]) -> bytes:
    """A frame whose event is called as its type."""
    return f"event: {value['type']}\ndata: {json.dumps(value)}\n\n".encode()
