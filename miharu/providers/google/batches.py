"""Results of Gemini's batches (https://ai.google.dev/gemini-api/docs/batch-api).

Those of a small batch stand in the batch itself, those of a large one in a file that it names. A line of the
file does not tell when it was answered, but its ``responseId`` begins with that moment, as Google's ids of
events do. Vertex AI writes results to Cloud Storage and BigQuery, where they are not seen.
"""

import binascii
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from dataclasses import replace

import msgspec

from miharu.providers._jobs import unix_ms
from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.batches import Line, Results, answer_wire, lines_of, parsed
from miharu.providers.google._common import error_of, usage_of
from miharu.providers.google.generate import read_answer

__all__ = ("GeminiBatches",)

_NOTHING = msgspec.Raw(b"null")
_DOWNLOAD = ":download"


class _Line(msgspec.Struct):
    response: msgspec.Raw = _NOTHING
    error: msgspec.Raw = _NOTHING
    key: str | None = None
    metadata: msgspec.Raw = _NOTHING


class _Inlined(msgspec.Struct, rename="camel"):
    inlined_responses: list[_Line] = []


class _Output(msgspec.Struct, rename="camel"):
    inlined_responses: _Inlined | None = None
    inlined_embed_content_responses: _Inlined | None = None
    responses_file: str | None = None


class _Metadata(msgspec.Struct, rename="camel"):
    model: str | None = None
    end_time: str | None = None
    output: _Output | None = None
    """The same as the batch's ``response``; SDKs read this one."""


class _Key(msgspec.Struct):
    key: str | None = None


class _Batch(msgspec.Struct):
    name: str
    metadata: _Metadata
    response: _Output | None = None


class GeminiBatches:
    """Reads ``GET …/batches/{id}`` and ``GET …/files/{id}:download``."""

    api = "gemini.batches"
    rules = (
        Rule("/batches", method="GET"),
        Rule("/files", method="GET", file=_DOWNLOAD),
    )

    def read(self, wire: Wire) -> Reading | None:  # noqa: ARG002 - none of these is a call by itself
        return None

    def results(self, wire: Wire) -> Results | None:
        if wire.status != 200:
            return None
        tail = wire.path.rstrip("/").rpartition("/")[2]
        if tail.endswith(_DOWNLOAD):
            return Results(names=(tail.removesuffix(_DOWNLOAD),), lines=_lines(wire))
        batch = parsed(wire.body, _Batch) if b'"batches/' in wire.body[:4096] else None
        if batch is None or (output := batch.response or batch.metadata.output) is None:
            return None
        inlined = output.inlined_responses or output.inlined_embed_content_responses
        file = (output.responses_file or "").rpartition("/")[2]
        return Results(
            names=(tail, file) if file else (tail,),
            batch=tail,
            ended_ms=unix_ms({"end": batch.metadata.end_time}, "end"),
            lines=_inlined(wire, batch, inlined.inlined_responses if inlined else []),
        )


def _lines(wire: Wire) -> Iterator[Line]:
    for data in lines_of(wire.body):
        line = parsed(data, _Line)
        found = None if line is None else _line(wire, line, None)
        if found is not None:
            yield replace(found, at_ms=_made_ms(found.reading.response_id))


def _inlined(wire: Wire, batch: _Batch, lines: list[_Line]) -> Iterator[Line]:
    model = (batch.metadata.model or "").removeprefix("models/") or None
    for number, line in enumerate(lines):
        found = _line(wire, line, model)
        if found is not None:
            yield replace(found, key=f"{number} {found.key}")


def _line(wire: Wire, line: _Line, model: str | None) -> Line | None:
    """The call in a line; ``None`` of a line that neither answers nor fails."""
    body, error = bytes(line.response), bytes(line.error)
    key = line.key if line.key is not None else getattr(parsed(bytes(line.metadata), _Key), "key", None)
    if body != b"null":
        answer = answer_wire(wire, "", body, status=200)
        if not {"candidates", "usageMetadata", "promptFeedback", "embedding"} & answer.answered.keys():
            return None
    elif error != b"null" and error.startswith(b"{"):
        answer = answer_wire(wire, "", b'{"error":' + error + b"}")
    else:
        return None
    embeds = "embedding" in answer.answered
    reading = _embedding(answer) if embeds else read_answer(answer)
    return Line(
        api="gemini.embed" if embeds else "gemini.generate",
        wire=answer,
        reading=replace(reading, request_model=model, model=reading.model or model),
        key=reading.response_id or "",
        custom_id=key,
    )


def _embedding(answer: Wire) -> Reading:
    kind, message = error_of(answer.answered, answer.status)
    usage = usage_of(answer.answered.get("usageMetadata"))
    return Reading(terminated=True, usage=usage, error_type=kind, error_message=message)


def _made_ms(response_id: str | None) -> int | None:
    try:
        return int.from_bytes(urlsafe_b64decode((response_id or "")[:8])[:4], "little") * 1000 or None
    except (ValueError, binascii.Error):
        return None
