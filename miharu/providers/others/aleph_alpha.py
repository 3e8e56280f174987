"""Aleph Alpha's completion (https://docs.aleph-alpha.com/api/complete), plain and streamed.

The answer has a ``model_version``, such as ``2022-04``; it is not a name, so the requested one stands.
"""

from miharu.call import Usage
from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.openai._errors import error_of
from miharu.wire.json import count, dumps, mapping, text
from miharu.wire.streams import answers

__all__ = ("AlephAlphaComplete",)

_COUNTS = ("num_tokens_prompt_total", "num_tokens_generated")


class AlephAlphaComplete:
    """Reads ``POST https://api.aleph-alpha.com/complete``."""

    api = "aleph_alpha.complete"
    rules = (Rule("/complete", host="api.aleph-alpha.com"),)

    def read(self, wire: Wire) -> Reading | None:
        raw: dict[str, int] = {}
        finish = ttft = None
        for answer in answers(wire):
            value = answer.value
            raw |= {name: number for name in _COUNTS if (number := count(value, name)) is not None}
            if ttft is None and value.get("type") == "stream_chunk":
                ttft = wire.ms_at(answer.end)
            listed = value.get("completions")
            for completion in (value, *(listed if isinstance(listed, list) else ())):
                finish = text(mapping(completion).get("finish_reason")) or finish
        kind, message = error_of(wire.answered, wire.status)
        return Reading(
            # a stream ends in a summary that counts tokens
            terminated=bool(raw) or bool(wire.answered),
            usage=Usage(
                prompt_tokens=raw.get(_COUNTS[0]),
                completion_tokens=raw.get(_COUNTS[1]),
                usage_source="provider",
                usage_raw=dumps(raw),
            )
            if raw
            else Usage(),
            request_model=text(wire.asked.get("model")),
            stream=wire.asked.get("stream") is True,
            ttft_ms=ttft,
            error_type=kind,
            error_message=message,
            finish_reason=finish,
        )
