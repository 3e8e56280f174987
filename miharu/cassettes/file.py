"""The file: JSON, indented, one exchange after another, so that people and ``diff`` can read it.

    {
      "miharu_cassette": 1,
      "exchanges": [
        {"request": {"method": "POST", "path": "/v1/chat/completions", "json": {…}},
         "response": {"status": 200, "headers": {…}, "json": {…}},
         "timing": {"duration_ms": 812}}
      ]
    }

No header of a request is in it, and of a response only those that an SDK acts upon (``HEADERS``).
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from miharu.cassettes.bodies import as_written, pieces_of, value_of, written
from miharu.cassettes.recorded import Asked, Recorded
from miharu.errors import ConfigError
from miharu.files.private import replace
from miharu.redaction.text import redacted

__all__ = ("VERSION", "acted_upon", "as_text", "load", "save")

VERSION = 1
HEADERS = frozenset(
    {"content-type", "retry-after", "retry-after-ms", "x-should-retry", "request-id", "x-request-id"}
    | {"x-amzn-requestid", "x-amzn-errortype", "x-amzn-bedrock-content-type", "openai-processing-ms"}
)
_LIMITS = ("x-ratelimit-", "anthropic-ratelimit-")
_STREAMS = ("text/event-stream", "application/x-ndjson", "application/vnd.amazon.eventstream")


def acted_upon(headers: Mapping[str, str], own: Sequence[str] = ()) -> dict[str, str]:
    """The headers of a response that are kept, names in lower case; without credentials."""
    kept = {name.lower(): value for name, value in headers.items()}
    return {
        name: redacted(value, own)
        for name, value in sorted(kept.items())
        if name in HEADERS or name.startswith(_LIMITS)
    }


def as_text(exchanges: Sequence[Recorded]) -> str:
    """The file's content."""
    whole = {"miharu_cassette": VERSION, "exchanges": [_written(one) for one in exchanges]}
    return json.dumps(whole, ensure_ascii=False, indent=2) + "\n"


def save(path: Path, exchanges: Sequence[Recorded]) -> None:
    """Write the file; it is there once it is whole, and readable by its owner alone until that is changed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    replace(path, as_text(exchanges).encode("utf-8", "surrogatepass"))


def load(path: Path) -> list[Recorded]:
    """The exchanges of the file.

    Raises:
        ConfigError: It cannot be read; the message says where and why.
    """
    try:
        whole = json.loads(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"the cassette {path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"the cassette {path} is not valid JSON: {error}.") from None
    if not isinstance(whole, dict) or "miharu_cassette" not in whole:
        raise ConfigError(f'{path} is not a cassette: it has no "miharu_cassette" with a version.')
    if whole["miharu_cassette"] != VERSION:
        raise ConfigError(
            f"the cassette {path} has version {whole['miharu_cassette']!r}, and this miharu reads version "
            f"{VERSION}: use the miharu that wrote it, or record it again."
        )
    exchanges = whole.get("exchanges")
    if not isinstance(exchanges, list):
        raise ConfigError(f'the cassette {path} has no list of "exchanges".')
    return [
        _read(one, f"exchange {number} of the cassette {path}") for number, one in enumerate(exchanges, 1)
    ]


def _written(one: Recorded) -> dict[str, Any]:
    asked = one.asked
    request = {
        "method": asked.method,
        "host": asked.host,
        "path": asked.path,
        "api": asked.api,
        "model": asked.model,
        "stream": asked.stream or None,
        **as_written(asked.body),
    }
    is_stream = one.headers.get("content-type", "").lower().startswith(_STREAMS)
    body = written(one.pieces, is_stream=is_stream)
    whole: dict[str, Any] = {"request": _said(request)}
    if one.status is not None:
        whole["response"] = {"status": one.status, "headers": dict(one.headers), **body}
    if one.is_broken:
        whole["error"] = _said({"type": one.error_type, "message": one.error_message})
    at = list(one.at_ms) if is_stream else None
    whole["timing"] = _said({"ttft_ms": one.ttft_ms, "duration_ms": one.duration_ms, "at_ms": at or None})
    return whole


def _said(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value is not None}


def _read(one: object, where: str) -> Recorded:
    if not isinstance(one, dict) or not isinstance(request := one.get("request"), dict):
        raise ConfigError(f'{where} has no "request".')
    response, error = one.get("response"), one.get("error")
    timing = one.get("timing")
    timing = timing if isinstance(timing, dict) else {}
    try:
        if not isinstance(response, dict) and not isinstance(error, dict):
            raise ConfigError('it has neither a "response" nor an "error"')  # noqa: TRY301 - its place is added
        return Recorded(
            asked=Asked(
                method=_text(request, "method") or "POST",
                path=_text(request, "path"),
                api=_text(request, "api"),
                model=_text(request, "model"),
                stream=request.get("stream") is True,
                host=_text(request, "host"),
                body=value_of(_body(request, "method", "host", "path", "api", "model", "stream")),
            ),
            **(_answer(response) if isinstance(response, dict) else {}),
            at_ms=_numbers(timing.get("at_ms")),
            ttft_ms=_number(timing.get("ttft_ms")),
            duration_ms=_number(timing.get("duration_ms")) or 0,
            error_type=_text(error, "type") or "error" if isinstance(error, dict) else None,
            error_message=_text(error, "message") if isinstance(error, dict) else None,
        )
    except ConfigError as wrong:
        raise ConfigError(f"{where} cannot be read: {wrong}.") from None


def _answer(response: dict[str, Any]) -> dict[str, Any]:
    status, headers = response.get("status"), response.get("headers", {})
    if not isinstance(status, int) or not 100 <= status <= 599:
        raise ConfigError(f"{status!r} is not an HTTP status")
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        raise ConfigError("the response's headers are not texts by their names")
    return {
        "status": status,
        "headers": {name.lower(): value for name, value in headers.items()},
        "pieces": tuple(pieces_of(_body(response, "status", "headers"))),
    }


def _body(facts: dict[str, Any], *others: str) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if name not in others}


def _text(facts: dict[str, Any], name: str) -> str | None:
    value = facts.get(name)
    if value is not None and not isinstance(value, str):
        raise ConfigError(f"{name} is {value!r}, and has to be text")
    return value


def _number(value: object) -> int | None:
    return round(value) if isinstance(value, int | float) and 0 <= value < 1e9 else None


def _numbers(value: object) -> tuple[int, ...]:
    return tuple(_number(one) or 0 for one in value) if isinstance(value, list) else ()
