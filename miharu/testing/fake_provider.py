"""A provider that speaks the APIs of OpenAI, Anthropic, Gemini and Bedrock, and costs nothing.

    with FakeProvider() as provider:
        client = OpenAI(base_url=provider.base_url, api_key="any")

Which API a request is of follows from its path (``_makers/``). What the provider says and counts follows from
the request (``tokens.py``); faults come on demand (``_faults.py``). A provider is itself an ASGI app, so it
can also be called without a socket.
"""

import json
import math
import secrets
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import anyio

from miharu.errors import ConfigError
from miharu.testing import _faults
from miharu.testing._generation import generate
from miharu.testing._makers.anthropic import Anthropic
from miharu.testing._makers.base import Asked, Kit, Maker, RefusedError
from miharu.testing._makers.batches import Batches
from miharu.testing._makers.bedrock import Bedrock
from miharu.testing._makers.gemini import Gemini
from miharu.testing._makers.openai import OpenAI
from miharu.testing._makers.realtime import converse
from miharu.testing._replies import Reply, send_reply
from miharu.testing._served import Served
from miharu.testing.tokens import PromptCache

__all__ = ("Asked", "FakeProvider")

_REMEMBERED = 1000
_WAIT = {429, 503, 529}
"""Statuses that say when to try again."""

Answer = str | Callable[[str], str] | None


class FakeProvider(Served):
    """The APIs of OpenAI, Azure OpenAI, Anthropic, Gemini, Vertex AI and Bedrock on a port of this machine.

    Args:
        answer: What it says, or a function of the last message; sentences of its own by default.
        latency: Seconds before an answer begins, or a function of the model's name.
        chunk_latency: Seconds between the chunks of a stream.
        retry_after: Seconds that a 429, 503 or 529 asks its caller to wait.
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
        self._served = 0
        self._failed_once: deque[bytes] = deque(maxlen=_REMEMBERED)
        cache = PromptCache()
        self._kit = Kit(generate=lambda prompt: generate(prompt, cache, self._answer), ids=ids, clock=clock)
        makers = (Batches, Anthropic, Gemini, Bedrock, OpenAI)
        self._makers: tuple[Maker, ...] = tuple(maker(self._kit) for maker in makers)

    @property
    def websocket_url(self) -> str:
        """What an OpenAI client takes as ``websocket_base_url``, for the Realtime API."""
        return f"ws{self.base_url.removeprefix('http')}"

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        """Answer one request, as an ASGI app does."""
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in scope.get("headers", ())
        }
        query = scope.get("query_string", b"").decode("latin-1")
        if scope["type"] == "websocket":
            asked = Asked(method="GET", path=scope["path"], headers=headers, body=None, query=query)
            self.requests.append(asked)
            await converse(self._kit, asked, receive, send, pause=self._chunk_latency)
            return
        if scope["type"] != "http":
            raise NotImplementedError(f"{scope['type']}: only HTTP and WebSockets are spoken here.")
        raw = await _read(receive)
        asked = Asked(
            method=scope["method"], path=scope["path"], headers=headers, body=_parsed(raw), query=query
        )
        self.requests.append(asked)
        if asked.body is None and raw:
            asked = replace(asked, body=raw)  # a form; what is remembered is the JSON of others
        await self._serve(asked, raw, receive, send)

    async def _serve(self, asked: Asked, raw: bytes, receive: Any, send: Any) -> None:
        started = self._clock()
        self._served += 1
        maker = next(maker for maker in self._makers if maker.takes(asked))
        model = maker.model(asked)
        fault = _faults.fault_of(asked.headers, model)
        if fault == "hang":
            await _disconnected(receive)
            return
        delay = self._latency(str(model)) if callable(self._latency) else self._latency
        if delay := delay + _faults.delay_of(fault):
            await anyio.sleep(delay)
        reply = self._reply(maker, asked, raw, fault)
        millis = round((self._clock() - started) * 1000)
        await send_reply(
            reply,
            maker.headers(millis, self._served),
            send,
            squeeze=self._compress and "gzip" in asked.headers.get("accept-encoding", ""),
            pause=self._chunk_latency,
            cut=fault == "cut-mid-stream",
            garbled=fault == "malformed",
        )

    def _reply(self, maker: Maker, asked: Asked, raw: bytes, fault: str | None) -> Reply:
        status = _faults.status_of(fault) if fault else None
        if fault and status and not (fault.endswith("then-ok") and self._is_retry(asked, raw)):
            return self._patiently(maker.error(status, quota=fault == "error-quota"), fault)
        try:
            return self._patiently(maker.reply(asked, broken=fault == "error-mid-stream"), fault)
        except RefusedError as refusal:
            return maker.error(refusal.status, str(refusal))
        except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
            return maker.error(400, f"Invalid request: {error}")

    def _patiently(self, reply: Reply, fault: str | None) -> Reply:
        """The reply; where it asks for patience, with when to try again."""
        if reply.status not in _WAIT or fault == "error-quota":
            return reply
        wait = self._retry_after
        when = (("retry-after", str(math.ceil(wait))), ("retry-after-ms", str(round(wait * 1000))))
        return replace(reply, headers=(*reply.headers, *when))

    def _is_retry(self, asked: Asked, raw: bytes) -> bool:
        count = asked.headers.get("x-stainless-retry-count")
        if count is not None:
            return count != "0"
        if raw in self._failed_once:
            self._failed_once.remove(raw)
            return True
        self._failed_once.append(raw)
        return False


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


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return None


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
