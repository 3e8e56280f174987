"""A provider of sessions on this machine: OpenAI Realtime, OpenAI Responses and Gemini Live.

The events, their fields and their order are those of the types of openai 3.54 (``types/realtime`` and
``types/responses``) and of google-genai 3.4 (``LiveServerMessage``), as in pydantic-ai's recordings
(https://github.com/pydantic/pydantic-ai, tests/realtime/cassettes).
"""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

__all__ = ("GEMINI_USAGE", "REALTIME_USAGE", "RESPONSES_USAGE", "Speaking", "speaking")

REALTIME_USAGE = {
    "total_tokens": 253,
    "input_tokens": 132,
    "output_tokens": 121,
    "input_token_details": {
        "text_tokens": 119,
        "audio_tokens": 13,
        "image_tokens": 0,
        "cached_tokens": 64,
        "cached_tokens_details": {"text_tokens": 64, "audio_tokens": 0, "image_tokens": 0},
    },
    "output_token_details": {"text_tokens": 30, "audio_tokens": 91},
}
RESPONSES_USAGE = {
    "input_tokens": 100,
    "input_tokens_details": {"cached_tokens": 40},
    "output_tokens": 20,
    "output_tokens_details": {"reasoning_tokens": 8},
    "total_tokens": 120,
}
GEMINI_USAGE = {
    "promptTokenCount": 1236,
    "responseTokenCount": 77,
    "totalTokenCount": 1313,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 1236}],
    "responseTokensDetails": [
        {"modality": "TEXT", "tokenCount": 13},
        {"modality": "AUDIO", "tokenCount": 64},
    ],
}
_TRANSCRIPT_USAGE = {
    "type": "tokens",
    "total_tokens": 14,
    "input_tokens": 10,
    "input_token_details": {"text_tokens": 0, "audio_tokens": 10},
    "output_tokens": 4,
}
_SOUND = "AAAA" * 3000


class Speaking:
    """Where it is."""

    def __init__(self, port: int) -> None:
        self.port = port

    def url(self, host: str, scheme: str = "http", path: str = "") -> str:
        return f"{scheme}://{host}:{self.port}{path}"


@contextmanager
def speaking(certificate: Path | None = None) -> Iterator[Speaking]:
    """Serve until the block ends; over TLS where there is a place for a certificate."""
    server = import_module("websockets.sync.server")
    exceptions = import_module("websockets.exceptions")
    context = None
    if certificate is not None:
        _sign(certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)

    def handle(socket: Any) -> None:
        path = socket.request.path.partition("?")[0]
        with suppress(exceptions.ConnectionClosed):
            next(speak for end, speak in _BY_PATH.items() if path.endswith(end))(socket)

    with server.serve(handle, "127.0.0.1", 0, ssl=context, close_timeout=2) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        try:
            yield Speaking(serving.socket.getsockname()[1])
        finally:
            serving.shutdown()
            thread.join()


def _say(socket: Any, kind: str, **fields: Any) -> None:
    socket.send(json.dumps({"type": kind, "event_id": "event_1", **fields}, separators=(",", ":")))


def _realtime(socket: Any) -> None:
    """Answer each request for a response; once sound was sent, speech is heard and transcribed as well."""
    session = {
        "type": "realtime",
        "object": "realtime.session",
        "id": "sess_1",
        "model": "gpt-realtime",
        "output_modalities": ["audio"],
        "instructions": "Be brief.",
        "tools": [],
        "audio": {"input": {"transcription": None}, "output": {"voice": "alloy"}},
    }
    _say(socket, "session.created", session=session)
    number = 0
    for message in socket:
        event = json.loads(message)
        if event["type"] == "session.update":
            session["audio"]["input"] = event["session"].get("audio", {}).get("input", {})  # type: ignore[index]
            _say(socket, "session.updated", session=session)
        elif event["type"] == "input_audio_buffer.append":
            _say(socket, "input_audio_buffer.speech_stopped", audio_end_ms=900, item_id="item_1")
            _say(socket, "input_audio_buffer.committed", previous_item_id=None, item_id="item_1")
            number += 1
            _respond(socket, f"resp_{number}", "completed")
            _say(
                socket,
                "conversation.item.input_audio_transcription.completed",
                item_id="item_1",
                content_index=0,
                transcript="Does it rain?",
                usage=_TRANSCRIPT_USAGE,
            )
        elif event["type"] == "response.create":
            number += 1
            asked = event.get("response") or {}
            _respond(socket, f"resp_{number}", (asked.get("metadata") or {}).get("end", "completed"))


def _respond(socket: Any, name: str, end: str) -> None:
    response: dict[str, Any] = {"object": "realtime.response", "id": name, "status": "in_progress"}
    where = {"response_id": name, "item_id": "item_2", "output_index": 0, "content_index": 0}
    _say(
        socket, "response.created", response={**response, "status_details": None, "output": [], "usage": None}
    )
    _say(socket, "response.output_audio_transcript.delta", **where, delta="It rains.")
    for _ in range(20):
        _say(socket, "response.output_audio.delta", **where, delta=_SOUND)
    if end == "break":
        socket.close(1011, "The server had an error while processing your request.")
        return
    said = {
        "id": "item_2",
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_audio", "transcript": "It rains."}],
    }
    details = {"type": end, "reason": "turn_detected"} if end == "cancelled" else None
    _say(
        socket,
        "response.done",
        response={
            **response,
            "status": end,
            "status_details": details,
            "output": [said],
            "usage": REALTIME_USAGE,
        },
    )


def _responses(socket: Any) -> None:
    for message in socket:
        asked = json.loads(message)
        if asked.get("previous_response_id"):
            error = {
                "type": "invalid_request_error",
                "code": "previous_response_not_found",
                "message": "None.",
            }
            socket.send(json.dumps({"type": "error", "status": 400, "error": error}))
            continue
        response = {"id": "resp_1", "object": "response", "created_at": 1, "model": "gpt-5-mini-2025-08-07"}
        text = {"type": "output_text", "text": "It rains.", "annotations": []}
        said = {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [text],
        }
        events: list[dict[str, Any]] = [
            {"type": "response.created", "response": {**response, "status": "in_progress", "output": []}},
            {"type": "response.output_text.delta", "item_id": "msg_1", "delta": "It rains."},
            {
                "type": "response.completed",
                "response": {**response, "status": "completed", "output": [said], "usage": RESPONSES_USAGE},
            },
        ]
        for number, event in enumerate(events):
            socket.send(json.dumps({**event, "sequence_number": number}))


def _gemini(socket: Any) -> None:
    """Google sends its objects as bytes."""
    assert "setup" in json.loads(socket.recv())
    _tell(socket, {"setupComplete": {"sessionId": "s-1"}})
    sound = {"inlineData": {"mimeType": "audio/pcm;rate=24000", "data": _SOUND}}
    for message in socket:
        asked = json.loads(message)
        if "client_content" not in asked and "text" not in asked.get("realtime_input", {}):
            continue
        for _ in range(20):
            _tell(socket, {"serverContent": {"modelTurn": {"parts": [sound]}}})
        _tell(socket, {"serverContent": {"outputTranscription": {"text": "It rains."}}})
        _tell(socket, {"serverContent": {"generationComplete": True}})
        _tell(socket, {"serverContent": {"turnComplete": True}, "usageMetadata": GEMINI_USAGE})


def _tell(socket: Any, said: dict[str, Any]) -> None:
    socket.send(json.dumps(said, indent=2).encode())


_BY_PATH: dict[str, Callable[[Any], None]] = {
    "/realtime": _realtime,
    "/responses": _responses,
    "BidiGenerateContent": _gemini,
}


def _sign(place: Path) -> None:
    """A certificate and its key, for a day."""
    x509 = import_module("cryptography.x509")
    hashes = import_module("cryptography.hazmat.primitives.hashes")
    written = import_module("cryptography.hazmat.primitives.serialization")
    key = import_module("cryptography.hazmat.primitives.asymmetric.ec").generate_private_key(
        import_module("cryptography.hazmat.primitives.asymmetric.ec").SECP256R1()
    )
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "generativelanguage.googleapis.com")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    place.write_bytes(
        key.private_bytes(written.Encoding.PEM, written.PrivateFormat.PKCS8, written.NoEncryption())
        + made.public_bytes(written.Encoding.PEM)
    )
