"""Results of Anthropic's batches (https://docs.claude.com/en/api/retrieving-message-batch-results).

A line does not tell when it was answered; the batch, which SDKs ask for before its results, tells when it
ended. What was cancelled, has expired or has failed is not billed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from miharu.providers._jobs import unix_ms
from miharu.providers.anthropic.messages import message_of, read_message
from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.batches import Line, Results, answer_wire, lines_of, parsed
from miharu.wire.json import text

__all__ = ("AnthropicBatches",)

_NOTHING = msgspec.Raw(b"null")
_MESSAGES = "/v1/messages"
_ENDINGS = {
    "canceled": Reading(terminated=True, finish_reason="cancelled"),
    "expired": Reading(
        terminated=True,
        error_type="expired",
        error_message="The batch expired before this request was processed.",
    ),
}


class _Result(msgspec.Struct):
    type: str
    message: msgspec.Raw = _NOTHING
    error: msgspec.Raw = _NOTHING


class _Line(msgspec.Struct):
    custom_id: str
    result: _Result


class AnthropicBatches:
    """Reads ``GET …/messages/batches/{id}/results``, and what ``GET …/messages/batches/{id}`` says."""

    api = "anthropic.batches"
    rules = (
        Rule("/messages/batches", method="GET"),
        Rule("/messages/batches", method="GET", file="/results"),
    )

    def read(self, wire: Wire) -> Reading | None:  # noqa: ARG002 - none of these is a call by itself
        return None

    def results(self, wire: Wire) -> Results | None:
        if wire.status != 200:
            return None
        if not wire.path.rstrip("/").endswith("/results"):
            return _state(wire.answered)
        batch = wire.path.rstrip("/").rpartition("/")[0].rpartition("/")[2]
        return Results(names=(batch,), batch=batch, lines=_lines(wire))


def _state(batch: Mapping[str, Any]) -> Results | None:
    id_ = text(batch.get("id"))
    if batch.get("type") != "message_batch" or id_ is None:
        return None
    return Results(names=(id_,), batch=id_, ended_ms=unix_ms(batch, "ended_at"))


def _lines(wire: Wire) -> Iterator[Line]:
    for data in lines_of(wire.body):
        line = parsed(data, _Line)
        if line is not None and (found := _line(wire, line)) is not None:
            yield found


def _line(wire: Wire, line: _Line) -> Line | None:
    kind = line.result.type
    if kind == "succeeded":
        answer = answer_wire(wire, _MESSAGES, bytes(line.result.message), status=200)
        reading = read_message(answer, message_of(answer), None)
    elif kind == "errored":
        answer = answer_wire(wire, _MESSAGES, bytes(line.result.error))
        reading = read_message(answer, answer.answered, None)
        reading = replace(reading, error_type=reading.error_type or "errored")
    elif kind in _ENDINGS:
        answer, reading = answer_wire(wire, _MESSAGES, b""), _ENDINGS[kind]
    else:
        return None
    return Line(
        api="anthropic.messages",
        wire=answer,
        reading=reading,
        key=reading.response_id or "",
        custom_id=line.custom_id,
        is_billed=kind == "succeeded",
    )
