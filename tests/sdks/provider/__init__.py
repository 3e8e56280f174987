"""One local provider for all formats. The host name says which it speaks; without one it is Ollama.

It tells in the formats' own words how many tokens a call took, and remembers what it told (``told``), which
is what miharu has to have seen.
"""

import json
import threading
from collections import deque
from collections.abc import Mapping
from typing import Any, Self

import anyio

from miharu.testing import FakeProvider
from miharu.testing._server import ServerThread
from tests.sdks.provider import anthropic, aws, cohere, google, mistral, ollama, openai, voyage
from tests.sdks.provider.base import Format, Reply, Told, reply_json

__all__ = ("Provider", "Told")

_MODEL = FakeProvider()
_FORMATS: Mapping[str, Format] = {
    "api.anthropic.com": anthropic,
    "generativelanguage.googleapis.com": google,
    "api.mistral.ai": mistral,
    "api.cohere.com": cohere,
    "bedrock-runtime.us-east-1.amazonaws.com": aws,
    "api.voyageai.com": voyage,
    "api.groq.com": openai.OpenAIFormat(_MODEL, "groq"),
    "api.together.ai": openai.OpenAIFormat(_MODEL, "together"),
    "ollama.com": ollama,
    "127.0.0.1": ollama,
}
_OTHERWISE = openai.OpenAIFormat(_MODEL)


class Provider:
    """Serves for as long as a ``with`` lasts."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        """What it said, model calls only."""
        self.other: list[str] = []
        """What else it was asked."""
        self.failures: deque[int] = deque()
        """The HTTP statuses of the next model calls."""
        self.may_end = threading.Event()
        """While it is not set, the last frame of each answer is kept back."""
        self.may_end.set()

    def __enter__(self) -> Self:
        self._server = ServerThread(self)
        self._server.start()
        self.port = self._server.port
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def begin(self, *failures: int) -> None:
        """Forget, and fail so often from now on."""
        self.told, self.other, self.failures = [], [], deque(failures)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        raw = b""
        more = True
        while more:
            message = await receive()
            raw += message.get("body", b"")
            more = message.get("more_body", False)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get("host", "").partition(":")[0]
        reply = await self._reply(host, scope, raw)
        start = [(name.encode(), value.encode()) for name, value in reply.headers]
        await send({"type": "http.response.start", "status": reply.status, "headers": start})
        for number, frame in enumerate(reply.frames, 1):
            if number == len(reply.frames):
                await anyio.to_thread.run_sync(self.may_end.wait, 10)
            await send({"type": "http.response.body", "body": frame, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _reply(self, host: str, scope: Any, raw: bytes) -> Reply:
        speaks = _FORMATS.get(host, _OTHERWISE)
        try:
            asked = json.loads(raw) if raw else {}
        except ValueError:
            asked = {}
        path = scope["path"]
        question = speaks.question(path, asked) if scope["method"] == "POST" else None
        if question is None:
            self.other.append(f"{scope['method']} {path}")
            return reply_json({"error": "no model is asked here"}, status=404)
        if self.failures:
            status = self.failures.popleft()
            self.told.append(Told(api=question.api, model=question.model, status=status))
            hint = (("retry-after-ms", "1"),) if status in {429, 503} else ()
            return reply_json(speaks.error(status), status=status, headers=hint)
        reply, told = await speaks.answer(question)
        self.told.append(told)
        return reply
