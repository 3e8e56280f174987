"""What can be asked for: one line a field. Its name is what people write, its column what stores know."""

from dataclasses import dataclass
from typing import Literal

__all__ = ("ERRORS", "FIELDS", "KINDS", "STATUSES", "Field", "Kind", "field_of", "is_text")

Kind = Literal["text", "status", "money", "duration", "count", "number"]
STATUSES = ("success", "error", "cancelled")
KINDS: dict[Kind, str] = {
    "text": "a text, such as gpt-4o; with * for any characters",
    "status": "success, error or cancelled",
    "money": "dollars, such as 0.01, or cents, such as 1ct",
    "duration": "a time with its unit, such as 500ms, 10s, 1.5m or 1h30m",
    "count": "a whole number, such as 800, 50k or 1.5M",
    "number": "a number, such as 0.5",
}
"""What a value of each kind looks like."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """Something that a call has, or has not."""

    name: str
    column: str
    """A column of ``llm_calls``, or what a store makes of several; ``tag`` and ``score`` have names."""
    kind: Kind
    about: str
    named: bool = False
    """Whether a name of its own follows, as in ``tag:team=search``."""


def _text(name: str, column: str, about: str) -> Field:
    return Field(name=name, column=column, kind="text", about=about)


FIELDS: dict[str, Field] = {
    field.name: field
    for field in (
        _text("model", "model", "the model that answered"),
        _text("provider", "provider", "who runs the model"),
        _text("route", "route", "the route or job that made the call"),
        _text("user", "user_id", "the user it was made for"),
        _text("service", "service", "the program"),
        _text("session", "session_id", "the session"),
        _text("trace", "trace_id", "the trace"),
        Field(name="status", column="status", kind="status", about="how it ended"),
        _text("error", "error_type", "the kind of error"),
        _text("attempts", "call_group", "the attempts of one logical call, by the id that they share"),
        _text("prompt", "prompt_name", "the prompt, by its name"),
        _text("version", "prompt_hash", "a version of a prompt, by its fingerprint"),
        _text("api", "api", "the wire format, such as openai.chat"),
        _text("host", "host", "the host that was asked"),
        _text("sdk", "sdk", "the library that asked"),
        _text("finish", "finish_reason", "why the answer ended"),
        _text("tool", "tools", "a tool that the answer asked for"),
        _text("tier", "service_tier", "the service tier"),
        Field(name="cost", column="cost_nanousd", kind="money", about="what it cost"),
        Field(name="duration", column="duration_ms", kind="duration", about="how long it took"),
        Field(name="ttft", column="ttft_ms", kind="duration", about="time to the first token"),
        Field(name="tokens", column="tokens", kind="count", about="input and output tokens together"),
        Field(name="input", column="prompt_tokens", kind="count", about="input tokens"),
        Field(name="output", column="completion_tokens", kind="count", about="output tokens"),
        Field(name="cached", column="cached_tokens", kind="count", about="input tokens read from a cache"),
        Field(name="reasoning", column="reasoning_tokens", kind="count", about="output tokens of reasoning"),
        Field(name="attempt", column="attempt", kind="count", about="1 for the first, 2 for the first retry"),
        Field(name="http", column="http_status", kind="count", about="the HTTP status"),
        Field(name="tag", column="tag", kind="text", named=True, about="a tag, by its name"),
        Field(name="score", column="score", kind="number", named=True, about="a score, by its name"),
    )
}
"""By the name that people write."""
ERRORS = Field(
    name="errors", column="errors", kind="count", about="how many calls of a user, model, … failed"
)
"""Of those that a page lists, and of no single call."""
_COLUMNS = {field.column: field for field in (*FIELDS.values(), ERRORS)}


def field_of(column: str) -> Field | None:
    """The field of a column; ``None`` where it cannot be asked for."""
    return _COLUMNS.get(column)


def is_text(field: Field) -> bool:
    """Whether its values have no order."""
    return field.kind in {"text", "status"}
