"""A call as a command for the terminal: the same request, and no secret in it."""

import re
import shlex
from collections.abc import Mapping

from miharu.call import Call
from miharu.dashboard.call.bodies import file_name

__all__ = ("curl",)

_PATHS: Mapping[str, str] = {
    "openai.chat": "/v1/chat/completions",
    "openai.responses": "/v1/responses",
    "openai.completions": "/v1/completions",
    "openai.embeddings": "/v1/embeddings",
    "openai.images": "/v1/images/generations",
    "openai.speech": "/v1/audio/speech",
    "openai.moderations": "/v1/moderations",
    "anthropic.messages": "/v1/messages",
    "anthropic.complete": "/v1/complete",
    "cohere.chat": "/v2/chat",
    "cohere.v1.chat": "/v1/chat",
    "cohere.embed": "/v2/embed",
    "ollama.chat": "/api/chat",
    "ollama.generate": "/api/generate",
    "ollama.embed": "/api/embed",
}
"""The usual path of each format, since the path itself is not recorded."""
_KNOWN_HOSTS: Mapping[str, str] = {
    "api.groq.com": "/openai",
    "openrouter.ai": "/api",
    "api.fireworks.ai": "/inference",
}
_VARIABLES: Mapping[str, str] = {
    "openai": "OPENAI_API_KEY",
    "anthropic": "ANTHROPIC_API_KEY",
    "gcp.gemini": "GEMINI_API_KEY",
    "groq": "GROQ_API_KEY",
    "mistral_ai": "MISTRAL_API_KEY",
    "cohere": "CO_API_KEY",
    "deepseek": "DEEPSEEK_API_KEY",
    "openrouter": "OPENROUTER_API_KEY",
    "together": "TOGETHER_API_KEY",
    "x_ai": "XAI_API_KEY",
}
_HOST = re.compile(r"[A-Za-z0-9.-]+(:\d{1,5})?|\[[0-9a-f:]+\](:\d{1,5})?")
_LONGEST_BODY = 40_000
"""Bytes; a longer one stands in a file of its own."""
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def curl(call: Call) -> str | None:
    """The command; ``None`` where the host is not known.

    Everything of the request is quoted, and what a terminal would act upon is written as an escape of JSON.
    """
    host = call.host or ""
    if not _HOST.fullmatch(host):
        return None
    local = host.startswith(("localhost", "127.", "[::1]"))
    url = f"{'http' if local else 'https'}://{host}{_path(call, host)}"
    lines = [f"curl {shlex.quote(url)}", "-H 'content-type: application/json'", *_key(call, local=local)]
    return " \\\n  ".join([*lines, f"-d {_body(call)}"])


def _path(call: Call, host: str) -> str:
    if call.api == "gemini.generate":
        model = re.sub(r"[^\w.@-]", "", (call.request_model or call.model or "").rpartition("/")[2])
        return (
            f"/v1beta/models/{model}:{'streamGenerateContent?alt=sse' if call.stream else 'generateContent'}"
        )
    return _KNOWN_HOSTS.get(host, "") + _PATHS.get(call.api, "/")


def _key(call: Call, *, local: bool) -> list[str]:
    if local or call.api.startswith("ollama."):
        return []
    variable = _VARIABLES.get(call.provider or "", "API_KEY")
    if call.api.startswith("anthropic."):
        return [f'-H "x-api-key: ${variable}"', "-H 'anthropic-version: 2023-06-01'"]
    if call.api.startswith("gemini."):
        return [f'-H "x-goog-api-key: ${variable}"']
    return [f'-H "authorization: Bearer ${variable}"']


def _body(call: Call) -> str:
    sent = call.body.request if call.body else None
    if not sent:
        model = re.sub(r"[^\w./:@-]", "", call.request_model or call.model or "")
        return shlex.quote(f'{{"model": "{model}", "…": "the request was not kept"}}')
    if len(sent) > _LONGEST_BODY:
        return shlex.quote(f"@{file_name(call.id, 'request')}")
    text = sent.decode("utf-8", "replace")
    return shlex.quote(_UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text))
