"""Results of batches in OpenAI's form (https://platform.openai.com/docs/guides/batch), on any host.

They stand in the batch's output file and its error file, one line for each request. Azure OpenAI, Mistral,
Groq, Together and others have the same files. The id of a line begins with the time at which it was made, in
the form that OpenAI's ids have, which is all that embeddings tell of it.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.batches import Line, Results, answer_wire, lines_of, parsed
from miharu.providers.openai._common import answer_of, items, reading_of
from miharu.providers.openai.completions._choices import read_choices
from miharu.providers.openai.responses import read_response
from miharu.wire.json import count, mapping, text

__all__ = ("OpenAIBatches",)

_NOTHING = msgspec.Raw(b"null")
_ID = re.compile(r"\A[a-z_]+_([0-9a-f]{8})[0-9a-f]{24,}\Z")
"""An id that begins with Unix seconds."""
_FILES = ("output_file_id", "error_file_id", "output_file", "error_file")
_ENDS = ("completed_at", "expired_at", "cancelled_at", "failed_at")
_OBJECT = re.compile(rb'"object"\s*:\s*"([a-z._]{1,40})"')


class _Response(msgspec.Struct):
    status_code: int = 0
    request_id: str | None = None
    body: msgspec.Raw = _NOTHING


class _Line(msgspec.Struct):
    custom_id: str
    id: str | None = None
    response: _Response | None = None
    error: msgspec.Raw = _NOTHING


class OpenAIBatches:
    """Reads ``GET …/files/{id}/content``, and what ``GET …/batches/{id}`` says of the batch."""

    api = "openai.batches"
    """Also of a line that does not tell what was asked."""
    rules = (
        Rule("/batches", method="GET"),
        Rule("/batch/jobs", host=".mistral.ai", method="GET"),
        Rule("/files", method="GET", file="/content"),
    )

    def read(self, wire: Wire) -> Reading | None:  # noqa: ARG002 - none of these is a call by itself
        return None

    def results(self, wire: Wire) -> Results | None:
        if wire.status != 200:
            return None
        if not wire.path.rstrip("/").endswith("/content"):
            return _state(wire.answered)
        file = wire.path.rstrip("/").rpartition("/")[0].rpartition("/")[2]
        return Results(names=(file,), lines=_lines(wire))


def _state(batch: Mapping[str, Any]) -> Results | None:
    names = tuple(filter(None, (text(batch.get(name)) for name in _FILES)))
    if batch.get("object") != "batch" or not names:
        return None
    ended = next(filter(None, (count(batch, name) for name in _ENDS)), None)
    return Results(names=names, batch=text(batch.get("id")), ended_ms=ended and ended * 1000)


def _lines(wire: Wire) -> Iterator[Line]:
    for data in lines_of(wire.body):
        line = parsed(data, _Line)
        if line is not None and (line.response is not None or bytes(line.error) != b"null"):
            yield _line(wire, line)


def _line(wire: Wire, line: _Line) -> Line:
    given = line.response or _Response()
    body = bytes(given.body)
    if body == b"null":
        body = b'{"error":' + bytes(line.error) + b"}"
    answer = answer_wire(wire, "", body, status=given.status_code or None, request_id=given.request_id)
    api, read = _format_of(answer)
    reading = read(answer)
    return Line(
        api=api,
        wire=answer,
        reading=reading,
        key=line.id or reading.response_id or "",
        custom_id=line.custom_id,
        at_ms=_made_ms(answer.answered, line.id),
    )


def _format_of(answer: Wire) -> tuple[str, Callable[[Wire], Reading]]:
    """The format of an answer by its own words, and what reads it."""
    found = answer.answered
    name = text(found.get("object"))
    if name is None and (named := _OBJECT.search(answer.body[:4096])):
        name = named.group(1).decode()
    if name == "chat.completion" or (name is None and isinstance(found.get("choices"), list)):
        return "openai.chat", read_choices
    if name == "response":
        return "openai.responses", read_response
    if name == "text_completion":
        return "openai.completions", read_choices
    if name in {"list", "embedding"} and _has_embeddings(found):
        return "openai.embeddings", _plain
    if isinstance(found.get("results"), list):
        return "openai.moderations", _plain
    return OpenAIBatches.api, _plain


def _has_embeddings(answer: Mapping[str, Any]) -> bool:
    data = items(answer.get("data"))
    return not data or "embedding" in mapping(data[0])


def _plain(answer: Wire) -> Reading:
    return reading_of(answer, answer_of(answer), stream=False)


def _made_ms(answer: Mapping[str, Any], id_: str | None) -> int | None:
    made = count(answer, "created") or count(answer, "created_at")
    if not made and (stamp := _ID.match(id_ or "")):
        made = int(stamp.group(1), 16)
    return made * 1000 if made else None
