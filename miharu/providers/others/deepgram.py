"""Deepgram (https://developers.deepgram.com/reference): speech, transcripts, and what a text is about.

Speech is audio, which has no end of its own and states no usage: its characters are billed. A transcript
states its seconds, which are billed for each channel where each is heard by itself.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from miharu.call import Usage
from miharu.providers._jobs import stated
from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.openai._errors import error_of
from miharu.wire.json import count, dumps, mapping, text

__all__ = ("DeepgramListen", "DeepgramRead", "DeepgramSpeak")

_HOST = ".deepgram.com"


class DeepgramSpeak:
    """Reads ``POST https://api.deepgram.com/v1/speak`` and ``…/v2/speak``."""

    api = "deepgram.speak"
    rules = (Rule("/v1/speak", host=_HOST), Rule("/v2/speak", host=_HOST))

    def read(self, wire: Wire) -> Reading | None:
        kind, message = _error(wire)
        said = len(text(wire.asked.get("text")) or "") if wire.status == 200 else 0
        characters = count({"n": _number(wire.headers.get("dg-char-count"))}, "n") or said
        return Reading(
            terminated=wire.end == "eof",
            usage=Usage(usage_raw=dumps({"input_characters": characters}) if characters else None),
            quantities={"input_characters": float(characters)} if characters else {},
            model=wire.headers.get("dg-model-name"),
            request_model=_asked(wire, "model"),
            error_type=kind,
            error_message=message,
            response_id=wire.headers.get("dg-request-id"),
        )


class DeepgramListen:
    """Reads ``POST https://api.deepgram.com/v1/listen``; with a callback, only the id of the request."""

    api = "deepgram.listen"
    rules = (Rule("/v1/listen", host=_HOST), Rule("/v2/listen", host=_HOST))

    def read(self, wire: Wire) -> Reading | None:
        kind, message = _error(wire)
        metadata = mapping(wire.answered.get("metadata"))
        seconds, channels = metadata.get("duration"), count(metadata, "channels")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < 2**53:
            seconds = None
        by_channel = channels if channels and _asked(wire, "multichannel") == "true" else 1
        return Reading(
            terminated=bool(wire.answered),
            usage=stated(duration=seconds, channels=channels, **_analysed(metadata)),
            quantities={"input_audio_seconds": seconds * by_channel} if seconds else {},
            model=_model(metadata),
            request_model=_asked(wire, "model"),
            error_type=kind,
            error_message=message,
            response_id=text(metadata.get("request_id")) or text(wire.answered.get("request_id")),
        )


class DeepgramRead:
    """Reads ``POST https://api.deepgram.com/v1/read``, which says what a text is about."""

    api = "deepgram.read"
    rules = (Rule("/v1/read", host=_HOST),)

    def read(self, wire: Wire) -> Reading | None:
        kind, message = _error(wire)
        metadata = mapping(wire.answered.get("metadata"))
        analysed = _analysed(metadata)
        kinds = analysed.values()
        tokens = {
            side: sum(count(one, side) or 0 for one in kinds) for side in ("input_tokens", "output_tokens")
        }
        return Reading(
            terminated=bool(wire.answered),
            usage=Usage(
                prompt_tokens=tokens["input_tokens"],
                completion_tokens=tokens["output_tokens"],
                usage_source="provider",
                usage_raw=dumps(analysed),
            )
            if analysed
            else Usage(),
            request_model=_asked(wire, "model"),
            error_type=kind,
            error_message=message,
            response_id=text(metadata.get("request_id")),
        )


def _analysed(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What else was done with the words, each with the tokens that it took."""
    names = ("summary_info", "sentiment_info", "topics_info", "intents_info")
    return {name: metadata[name] for name in names if mapping(metadata.get(name))}


def _model(metadata: Mapping[str, Any]) -> str | None:
    """The name of the first model that heard it; ``models`` are ids, and ``model_info`` knows their names."""
    named = [text(mapping(info).get("name")) for info in mapping(metadata.get("model_info")).values()]
    return next(filter(None, named), None)


def _asked(wire: Wire, name: str) -> str | None:
    """What the query of the address asks for."""
    return next(iter(parse_qs(wire.query, max_num_fields=100).get(name, [])), None) if wire.query else None


def _number(value: str | None) -> int | None:
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 16 else None


def _error(wire: Wire) -> tuple[str | None, str | None]:
    kind, message = error_of(wire.answered, wire.status)
    return (
        text(wire.answered.get("err_code")) or kind,
        text(wire.answered.get("err_msg")) or message,
    )
