"""A provider that speaks OpenAI's API and costs nothing, for demos and tests.

    with FakeProvider() as provider:
        client = OpenAI(base_url=provider.base_url, api_key="any")

Chat completions, responses, embeddings and text completions, plain and streamed, also under Azure's paths.
What it says and counts follows from the request (``tokens.py``); faults come on demand (``_faults.py``).
A provider is itself an ASGI app, so it can also be called without a socket.
"""

import json
import math
import re
import secrets
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import unquote

import anyio

from miharu.errors import ConfigError
from miharu.testing import _chat, _embeddings, _faults, _responses
from miharu.testing._generation import Generation, Prompt, generate
from miharu.testing._replies import Reply, data_frames, event_stream, json_reply, named_frames, send_reply
from miharu.testing.tokens import PromptCache, count_tokens

__all__ = ("Asked", "FakeProvider")

_ENDPOINT = re.compile(r"/(chat/completions|completions|embeddings|responses|models)(?:/([^/]+))?/?$")
_DEPLOYMENT = re.compile(r"/openai/deployments/([^/]+)/")
_REMEMBERED = 1000
_REQUESTS_A_MINUTE, _TOKENS_A_MINUTE = 10_000, 2_000_000

_PROMPTS: dict[str, Callable[[Mapping[str, Any]], Prompt]] = {
    "chat/completions": _chat.chat_prompt,
    "completions": _chat.text_prompt,
    "responses": _responses.prompt,
}

Answer = str | Callable[[str], str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request that the provider has seen."""

    method: str
    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: Any
    """The JSON; ``None`` where there was none."""


class FakeProvider:
    """OpenAI's API on a port of this machine.

    Args:
        answer: What it says, or a function of the last message; sentences of its own by default.
        latency: Seconds before an answer begins, or a function of the model's name.
        chunk_latency: Seconds between the chunks of a stream.
        retry_after: Seconds that a 429 or 503 asks its caller to wait.
        compress: Answer in gzip to those who accept it.
        port: The port to serve on; a free one by default.
        clock: Seconds since the epoch.
        ids: Makes the ids of answers and requests.

    Raises:
        ConfigError: One of them is not valid.
    """

    def __init__(
        self,
        *,
        answer: Answer = None,
        latency: float | Callable[[str], float] = 0.0,
        chunk_latency: float = 0.0,
        retry_after: float = 1.0,
        compress: bool = False,
        port: int = 0,
        clock: Callable[[], float] = time.time,
        ids: Callable[[], str] = lambda: secrets.token_hex(12),
    ) -> None:
        _check("answer", answer, _is_answer, "a text, or a function of the last message")
        _check("latency", latency, _is_latency, "seconds, or a function of the model's name")
        _check("chunk_latency", chunk_latency, _is_time, "seconds")
        _check("retry_after", retry_after, _is_time, "seconds")
        _check("port", port, _is_port, "a number from 0 to 65535, 0 for any that is free")
        _check("clock", clock, callable, "a function that returns seconds")
        _check("ids", ids, callable, "a function that returns a text")
        self.requests: deque[Asked] = deque(maxlen=_REMEMBERED)
        """The last thousand requests."""
        self._answer = answer
        self._latency = latency
        self._chunk_latency = chunk_latency
        self._retry_after = retry_after
        self._compress = compress
        self._port = port
        self._clock = clock
        self._ids = ids
        self._cache = PromptCache()
        self._served = 0
        self._failed_once: deque[bytes] = deque(maxlen=_REMEMBERED)
        self._responses: dict[str, list[dict[str, Any]]] = {}
        self._thread: Any = None

    @property
    def base_url(self) -> str:
        """What an OpenAI client takes as ``base_url``."""
        return f"{self.url}/v1"

    @property
    def url(self) -> str:
        """What an Azure client takes as ``azure_endpoint``."""
        if self._thread is None:
            raise RuntimeError("The provider has no address yet: use it in a `with` statement.")
        return f"http://127.0.0.1:{self._thread.port}"

    def __enter__(self) -> Self:
        from miharu.testing._server import ServerThread

        self._thread = ServerThread(self, self._port)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.stop()
        self._thread = None

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        """Answer one request, as an ASGI app does."""
        if scope["type"] != "http":
            raise NotImplementedError(f"{scope['type']}: only HTTP is spoken here.")
        raw = await _read(receive)
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        started = self._clock()
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            body = None
        asked = Asked(method=scope["method"], path=scope["path"], headers=headers, body=body)
        self.requests.append(asked)
        self._served += 1
        fault = _faults.fault_of(headers, body if isinstance(body, dict) else {})
        if fault == "hang":
            await _disconnected(receive)
            return
        model = body.get("model") if isinstance(body, dict) else None
        delay = self._latency(str(model)) if callable(self._latency) else self._latency
        if delay:
            await anyio.sleep(delay)
        reply = self._reply(asked, raw, fault)
        millis = round((self._clock() - started) * 1000)
        await send_reply(
            reply,
            self._headers(millis),
            send,
            squeeze=self._compress and "gzip" in headers.get("accept-encoding", ""),
            pause=self._chunk_latency,
            cut=fault == "cut-mid-stream",
        )

    def _reply(self, asked: Asked, raw: bytes, fault: str | None) -> Reply:
        status = _faults.status_of(fault) if fault else None
        if fault and status and not (fault.endswith("then-ok") and self._is_retry(asked, raw)):
            return self._error(status, quota=fault == "error-quota")
        endpoint = _ENDPOINT.search(asked.path)
        if endpoint is None:
            return self._error(404, f"Invalid URL ({asked.method} {asked.path})")
        if asked.method == "GET":
            return self._get(endpoint[1], unquote(endpoint[2] or ""))
        if asked.method != "POST":
            return self._error(
                405, f"Not allowed to {asked.method} on {asked.path} (HINT: Perhaps you meant POST)"
            )
        try:
            return self._post(endpoint[1], asked, fault)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            return self._error(400, f"Invalid request: {error}")

    def _post(self, name: str, asked: Asked, fault: str | None) -> Reply:
        if not isinstance(asked.body, dict):
            raise TypeError("we could not parse the JSON body of your request.")
        deployment = _DEPLOYMENT.search(asked.path)
        body = ({"model": deployment[1]} if deployment else {}) | asked.body
        if not isinstance(body.get("model"), str) or not body["model"]:
            raise ValueError("you must provide a model parameter.")
        return self._model_reply(name, body, azure=deployment is not None, fault=fault)

    def _model_reply(self, name: str, body: dict[str, Any], *, azure: bool, fault: str | None) -> Reply:
        if name == "embeddings":
            return json_reply(_embeddings.embeddings(body))
        broken = fault == "error-mid-stream"
        if broken and not body.get("stream"):
            return self._error(500)
        made = generate(_PROMPTS[name](body), self._cache, self._answer)
        id_, created = self._ids(), int(self._clock())
        if name == "responses":
            return self._response(body, made, id_, created, broken=broken)
        if body.get("stream"):
            chunks = (
                _chat.chat_chunks(body, made, id_, created, azure=azure)
                if name == "chat/completions"
                else _chat.text_chunks(body, made, id_, created)
            )
            return event_stream(data_frames(chunks, broken=broken))
        if name == "chat/completions":
            return json_reply(_chat.chat_completion(body, made, id_, created))
        return json_reply(_chat.text_completion(made, id_, created))

    def _response(
        self, body: dict[str, Any], made: Generation, id_: str, created: int, *, broken: bool
    ) -> Reply:
        if body.get("stream"):
            failure = _responses.failed(body, made, id_, created) if broken else None
            return event_stream(named_frames(list(_responses.events(body, made, id_, created)), failure))
        finished = _responses.response(body, made, id_, created)
        answers = [finished]
        if body.get("background"):
            begun = _responses.queued(body, made, id_, created)
            answers = [begun, begun | {"status": "in_progress"}, finished]
        self._responses[finished["id"]] = answers[1:] or answers
        if len(self._responses) > _REMEMBERED:
            self._responses.pop(next(iter(self._responses)))
        return json_reply(answers[0])

    def _get(self, name: str, id_: str) -> Reply:
        if name == "models":
            models = [
                {"id": model, "object": "model", "created": 0, "owned_by": "miharu"}
                for model in ("gpt-4o", "gpt-4o-mini", "gpt-5-mini", "text-embedding-3-small")
            ]
            return json_reply({"object": "list", "data": models})
        known = self._responses.get(id_) if name == "responses" else None
        if not known:
            return self._error(404, f"Nothing is known of '{id_}'.")
        return json_reply(known.pop(0) if len(known) > 1 else known[0])

    def _is_retry(self, asked: Asked, raw: bytes) -> bool:
        count = asked.headers.get("x-stainless-retry-count")
        if count is not None:
            return count != "0"
        if raw in self._failed_once:
            self._failed_once.remove(raw)
            return True
        self._failed_once.append(raw)
        return False

    def _error(self, status: int, message: str | None = None, *, quota: bool = False) -> Reply:
        headers: tuple[tuple[str, str], ...] = ()
        if quota:
            headers = (("x-should-retry", "false"),)
        elif status in {429, 503}:
            wait = self._retry_after
            headers = (("retry-after", str(math.ceil(wait))), ("retry-after-ms", str(round(wait * 1000))))
        return json_reply(_faults.error_json(status, message, quota=quota), status, headers)

    def _headers(self, millis: int) -> list[tuple[str, str]]:
        left = self._served % _REQUESTS_A_MINUTE
        return [
            ("x-request-id", f"req_{self._ids()}"),
            ("openai-processing-ms", str(millis)),
            ("openai-version", "2020-10-01"),
            ("x-ratelimit-limit-requests", str(_REQUESTS_A_MINUTE)),
            ("x-ratelimit-remaining-requests", str(_REQUESTS_A_MINUTE - left)),
            ("x-ratelimit-reset-requests", "6ms"),
            ("x-ratelimit-limit-tokens", str(_TOKENS_A_MINUTE)),
            ("x-ratelimit-remaining-tokens", str(_TOKENS_A_MINUTE - left * count_tokens("x" * 400))),
            ("x-ratelimit-reset-tokens", "12ms"),
        ]


def _check(setting: str, value: object, is_sound: Callable[[object], bool], remedy: str) -> None:
    if not is_sound(value):
        raise ConfigError(f"FakeProvider({setting}={value!r}): give {remedy}.", setting)


def _is_answer(value: object) -> bool:
    return value is None or isinstance(value, str) or callable(value)


def _is_latency(value: object) -> bool:
    return callable(value) or _is_time(value)


def _is_port(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 16


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf


async def _read(receive: Any) -> bytes:
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b""
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _disconnected(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
