"""OpenAI's chat completions, responses, embeddings and text completions, also under Azure's paths."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from miharu.testing import _chat, _embeddings, _faults, _responses
from miharu.testing._generation import Generation, Prompt
from miharu.testing._makers.base import Asked, Headers, Kit, RefusedError
from miharu.testing._replies import Reply, data_frames, event_stream, json_reply, named_events
from miharu.testing.tokens import count_tokens

__all__ = ("OpenAI", "answer_to")

_ENDPOINT = re.compile(r"/(chat/completions|completions|embeddings|responses|models)(?:/([^/]+))?/?$")
_DEPLOYMENT = re.compile(r"/openai/deployments/([^/]+)/")
_REMEMBERED = 1000
_REQUESTS_A_MINUTE, _TOKENS_A_MINUTE = 10_000, 2_000_000
_MODELS = ("gpt-4o", "gpt-4o-mini", "gpt-5-mini", "text-embedding-3-small")

_PROMPTS: dict[str, Callable[[Mapping[str, Any]], Prompt]] = {
    "chat/completions": _chat.chat_prompt,
    "completions": _chat.text_prompt,
    "responses": _responses.prompt,
}


class OpenAI:
    """Speaks it."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._responses: dict[str, list[dict[str, Any]]] = {}

    def takes(self, asked: Asked) -> bool:  # noqa: ARG002 - all that no other takes is refused in its words
        return True

    def model(self, asked: Asked) -> str | None:
        return asked.body.get("model") if isinstance(asked.body, dict) else None

    def reply(self, asked: Asked, *, broken: bool) -> Reply:
        endpoint = _ENDPOINT.search(asked.path)
        if endpoint is None:
            raise RefusedError(404, f"Invalid URL ({asked.method} {asked.path})")
        if asked.method == "GET":
            return self._get(endpoint[1], unquote(endpoint[2] or ""))
        if asked.method != "POST":
            raise RefusedError(
                405, f"Not allowed to {asked.method} on {asked.path} (HINT: Perhaps you meant POST)"
            )
        if not isinstance(asked.body, dict):
            raise TypeError("we could not parse the JSON body of your request.")
        deployment = _DEPLOYMENT.search(asked.path)
        body = ({"model": deployment[1]} if deployment else {}) | asked.body
        return self._model_reply(endpoint[1], body, azure=deployment is not None, broken=broken)

    def error(self, status: int, message: str | None = None, *, quota: bool = False) -> Reply:
        status = 429 if quota else status
        headers = (("x-should-retry", "false"),) if quota else ()
        return json_reply(_faults.error_json(status, message, quota=quota), status, headers)

    def headers(self, millis: int, served: int) -> Headers:
        left = served % _REQUESTS_A_MINUTE
        return [
            ("x-request-id", f"req_{self._kit.ids()}"),
            ("openai-processing-ms", str(millis)),
            ("openai-version", "2020-10-01"),
            ("x-ratelimit-limit-requests", str(_REQUESTS_A_MINUTE)),
            ("x-ratelimit-remaining-requests", str(_REQUESTS_A_MINUTE - left)),
            ("x-ratelimit-reset-requests", "6ms"),
            ("x-ratelimit-limit-tokens", str(_TOKENS_A_MINUTE)),
            ("x-ratelimit-remaining-tokens", str(_TOKENS_A_MINUTE - left * count_tokens("x" * 400))),
            ("x-ratelimit-reset-tokens", "12ms"),
        ]

    def _model_reply(self, name: str, body: dict[str, Any], *, azure: bool, broken: bool) -> Reply:
        if not body.get("stream"):
            if broken and name != "embeddings":
                return self.error(500)
            answer = answer_to(self._kit, name, body)
            return json_reply(self._remembered(body, answer) if name == "responses" else answer)
        made, id_ = _made(self._kit, name, body), self._kit.ids()
        if name == "responses":
            events = list(_responses.events(body, made, id_, self._kit.now))
            failure = {
                "type": "response.failed",
                "response": _responses.failed(body, made, id_, self._kit.now),
                "sequence_number": len(events) // 2,
            }
            return event_stream(named_events(events, failure if broken else None))
        chunks = (
            _chat.chat_chunks(body, made, id_, self._kit.now, azure=azure)
            if name == "chat/completions"
            else _chat.text_chunks(body, made, id_, self._kit.now)
        )
        return event_stream(data_frames(chunks, broken=broken))

    def _remembered(self, body: Mapping[str, Any], finished: dict[str, Any]) -> dict[str, Any]:
        answers = [finished]
        if body.get("background"):
            begun = _responses.queued(finished)
            answers = [begun, begun | {"status": "in_progress"}, finished]
        self._responses[finished["id"]] = answers[1:] or answers
        if len(self._responses) > _REMEMBERED:
            self._responses.pop(next(iter(self._responses)))
        return answers[0]

    def _get(self, name: str, id_: str) -> Reply:
        if name == "models":
            models = [
                {"id": model, "object": "model", "created": 0, "owned_by": "miharu"} for model in _MODELS
            ]
            return json_reply({"object": "list", "data": models})
        known = self._responses.get(id_) if name == "responses" else None
        if not known:
            raise RefusedError(404, f"Nothing is known of '{id_}'.")
        return json_reply(known.pop(0) if len(known) > 1 else known[0])


def answer_to(kit: Kit, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The whole answer of the endpoint with that name, such as ``chat/completions``."""
    if name == "embeddings":
        _named(body)
        return _embeddings.embeddings(body)
    made, id_ = _made(kit, name, body), kit.ids()
    if name == "responses":
        return _responses.response(body, made, id_, kit.now)
    if name == "chat/completions":
        return _chat.chat_completion(body, made, id_, kit.now)
    return _chat.text_completion(made, id_, kit.now)


def _made(kit: Kit, name: str, body: Mapping[str, Any]) -> Generation:
    _named(body)
    return kit.generate(_PROMPTS[name](body))


def _named(body: Mapping[str, Any]) -> None:
    if not isinstance(body.get("model"), str) or not body["model"]:
        raise ValueError("you must provide a model parameter.")
