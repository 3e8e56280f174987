"""SageMaker's InvokeEndpoint and InvokeEndpointWithResponseStream.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html. What runs behind an
endpoint is the user's own affair: only a request that looks like one to a language model is a call.
"""

import re
from collections.abc import Mapping
from typing import Any

from miharu.call import Usage
from miharu.providers.aws._inner import finish_of, fold, usage_of
from miharu.providers.aws._usage import error_of, frame_error
from miharu.providers.base import Reading, Rule, Wire
from miharu.wire import sse
from miharu.wire.eventstream import frames
from miharu.wire.json import loads, mapping, text

__all__ = ("SageMakerInvocations",)

_PATH = re.compile(r"/endpoints/([^/]+)/invocations(?:-response-stream)?$")
_ASKED = ("inputs", "messages", "prompt", "input")


class SageMakerInvocations:
    """Reads ``POST /endpoints/{name}/invocations`` and ``…/invocations-response-stream``."""

    api = "sagemaker.invocations"
    rules = (Rule("/invocations"), Rule("/invocations-response-stream"))

    def read(self, wire: Wire) -> Reading | None:
        found = _PATH.search(wire.path.rstrip("/"))
        if wire.provider != "aws.sagemaker" or not found or not any(name in wire.asked for name in _ASKED):
            return None
        if wire.path.rstrip("/").endswith("-stream") and (wire.status is None or wire.status < 400):
            return _stream(wire, found.group(1))
        answer = loads(wire.body) if wire.body else None
        if isinstance(answer, list):
            answer = {"results": answer}  # text-generation-inference answers with a list of results
        answer = mapping(answer)
        error = error_of(wire, answer)
        return _reading(wire, found.group(1), answer, terminated=bool(answer), error=error)


def _stream(wire: Wire, endpoint: str) -> Reading:
    """Read a stream: its frames are slices of what the container sends, mostly Server-Sent Events."""
    body = bytearray()
    ttft, error = None, None
    for frame in frames(wire.body):
        error = frame_error(frame, mapping(loads(frame.payload)) if frame.error else {}) or error
        if frame.event == "PayloadPart":
            body += frame.payload
            ttft = wire.ms_at(frame.end) if ttft is None else ttft
    answer = fold(mapping(loads(event.data)) for event in sse.events(bytes(body)))
    terminated = bool(body) and wire.end == "eof"
    return _reading(
        wire, endpoint, answer, terminated=terminated, error=error or (None, None), stream=True, ttft_ms=ttft
    )


def _reading(
    wire: Wire,
    endpoint: str,
    answer: Mapping[str, Any],
    *,
    terminated: bool,
    error: tuple[str | None, str | None],
    stream: bool = False,
    ttft_ms: int | None = None,
) -> Reading:
    return Reading(
        terminated=terminated,
        usage=usage_of(answer, Usage()),
        model=text(answer.get("model")),
        request_model=endpoint,
        stream=stream or wire.asked.get("stream") is True,
        ttft_ms=ttft_ms,
        error_type=error[0],
        error_message=error[1],
        finish_reason=finish_of(answer),
        response_id=text(answer.get("id")),
    )
