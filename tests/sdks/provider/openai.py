"""OpenAI's formats, by ``miharu.testing.FakeProvider``, under whatever prefix, with two dialects.

Groq says its usage in ``x_groq`` of the last chunk, and Together in the last chunk that has a choice.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Literal

from miharu.testing import FakeProvider
from tests.sdks.provider.base import Question, Reply, Told

_APIS = {"chat/completions": "openai.chat", "responses": "openai.responses"}
_PATH = re.compile(r"/(chat/completions|responses)$")

Dialect = Literal["groq", "together"]


class OpenAIFormat:
    def __init__(self, model: FakeProvider, dialect: Dialect | None = None) -> None:
        self._model = model
        self._dialect = dialect

    def question(self, path: str, asked: Mapping[str, Any]) -> Question | None:
        found = _PATH.search(path)
        if found is None:
            return None
        return Question(
            api=_APIS[found[1]],
            path=path,
            model=str(asked.get("model")),
            stream=bool(asked.get("stream")),
            asked=asked,
        )

    async def answer(self, question: Question) -> tuple[Reply, Told]:
        dialect = self._dialect if question.stream else None
        asked = dict(question.asked)
        if dialect:
            asked["stream_options"] = {"include_usage": True}
        reply = await self._ask(question.path, asked)
        if dialect:
            reply = _with_usage_in_last_choice(reply, groq=dialect == "groq")
        return reply, _told(question, reply)

    def error(self, status: int) -> Any:
        kind = {400: "invalid_request_error", 429: "requests"}.get(status, "server_error")
        return {"error": {"message": "Not now.", "type": kind, "param": None, "code": "not_now"}}

    async def _ask(self, path: str, asked: Mapping[str, Any]) -> Reply:
        said: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": json.dumps(asked).encode()}

        async def send(message: dict[str, Any]) -> None:
            said.append(message)

        scope = {"type": "http", "method": "POST", "path": path, "headers": []}
        await self._model(scope, receive, send)
        headers = tuple(
            (name.decode(), value.decode()) for name, value in said[0]["headers"] if name != b"content-length"
        )
        frames = tuple(message["body"] for message in said[1:] if message["body"])
        return Reply(status=said[0]["status"], headers=headers, frames=frames)


def _objects(reply: Reply) -> list[dict[str, Any]]:
    """The JSON objects of the answer, one or many."""
    text = b"".join(reply.frames).decode()
    if not text.startswith(("data:", "event:")):
        return [json.loads(text)]
    lines = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: {")]
    return [json.loads(line) for line in lines]


def _with_usage_in_last_choice(reply: Reply, *, groq: bool) -> Reply:
    *chunks, last = _objects(reply)
    usage = last["usage"]
    for chunk in chunks:
        chunk.pop("usage", None)
    if groq:
        chunks[0]["x_groq"] = {"id": "req_1"}
        chunks[-1]["x_groq"] = {"id": "req_1", "usage": usage}
    else:
        chunks[-1]["usage"] = usage
    frames = [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks]
    return Reply(status=reply.status, headers=reply.headers, frames=(*frames, b"data: [DONE]\n\n"))


def _told(question: Question, reply: Reply) -> Told:
    prompt = completion = cached = finish = model = None
    for said in _objects(reply):
        thing = said.get("response") or said
        model = thing.get("model") or model
        usage = thing.get("usage") or (thing.get("x_groq") or {}).get("usage") or {}
        prompt = usage.get("prompt_tokens", usage.get("input_tokens", prompt))
        completion = usage.get("completion_tokens", usage.get("output_tokens", completion))
        details = usage.get("prompt_tokens_details") or usage.get("input_tokens_details") or {}
        cached = details.get("cached_tokens", cached)
        for choice in thing.get("choices") or ():
            finish = choice.get("finish_reason") or finish
        if thing.get("object") == "response" and thing["status"] != "in_progress":
            finish = thing["status"]
    return Told(
        api=question.api,
        model=model or question.model,
        status=reply.status,
        stream=question.stream,
        prompt_tokens=prompt,
        completion_tokens=completion,
        cached_tokens=cached,
        finish_reason=finish,
    )
