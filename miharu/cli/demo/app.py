"""The web app of the demo: a few routes that talk to a model, in plain ASGI, with the real OpenAI SDK."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ("ROUTES", "DemoApp", "DemoVisit")

_TOOL: Any = {
    "type": "function",
    "function": {
        "name": "find_order",
        "description": "Look up an order",
        "parameters": {
            "type": "object",
            "properties": {"number": {"type": "string"}},
            "required": ["number"],
        },
    },
}
# Long enough to be cached the second time, as system prompts are.
_HANDBOOK = "You answer questions about orders, invoices and deliveries, kindly and in two sentences. " * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoVisit:
    """What a visitor asks the app for."""

    route: str
    model: str
    question: str
    fault: str | None = None
    """How the provider should fail, for this visit."""
    patience: int | None = None
    """After how many chunks the visitor leaves; ``None`` stays to the end."""


@dataclass(frozen=True, slots=True)
class _Route:
    """What miharu reads from a scope to name the route, as Starlette and FastAPI leave it there."""

    path_format: str


class DemoApp:
    """Answers what is below ``ROUTES``."""

    def __init__(self, client: "AsyncOpenAI") -> None:
        self._client = client

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        """Answer one request, as an ASGI app does."""
        visit: DemoVisit = scope["state"]["visit"]
        scope["route"] = _Route(visit.route.partition(" ")[2])
        await ROUTES[visit.route](self._client, visit)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


def options(visit: DemoVisit) -> dict[str, Any]:
    """The options that all calls of a visit share."""
    headers: Mapping[str, str] = {"x-fake-fault": visit.fault} if visit.fault else {}
    return {"model": visit.model, "extra_headers": headers}


async def _chat(client: "AsyncOpenAI", visit: DemoVisit) -> None:
    stream = await client.chat.completions.create(
        messages=[{"role": "system", "content": _HANDBOOK}, {"role": "user", "content": visit.question}],
        stream=True,
        stream_options={"include_usage": True},
        **options(visit),
    )
    left = visit.patience
    async with stream:
        async for _ in stream:
            if left is not None:
                left -= 1
                if left <= 0:
                    return


async def _assist(client: "AsyncOpenAI", visit: DemoVisit) -> None:
    messages: list[Any] = [{"role": "user", "content": visit.question}]
    asked = await client.chat.completions.create(messages=messages, tools=[_TOOL], **options(visit))
    message = asked.choices[0].message
    messages.append(message.model_dump(exclude_none=True))
    for call in message.tool_calls or ():
        found = json.dumps({"state": "on its way"})
        messages.append({"role": "tool", "tool_call_id": call.id, "content": found})
    await client.chat.completions.create(messages=messages, tools=[_TOOL], **options(visit))


async def _summarise(client: "AsyncOpenAI", visit: DemoVisit) -> None:
    await client.responses.create(input=visit.question * 20, **options(visit))


async def _translate(client: "AsyncOpenAI", visit: DemoVisit) -> None:
    stream = await client.responses.create(input=visit.question * 4, stream=True, **options(visit))
    async with stream:
        async for _ in stream:
            pass


async def _search(client: "AsyncOpenAI", visit: DemoVisit) -> None:
    await client.embeddings.create(input=[visit.question, visit.question.upper()], **options(visit))


ROUTES: "dict[str, Callable[[AsyncOpenAI, DemoVisit], Awaitable[None]]]" = {
    "POST /chat/{thread_id}": _chat,
    "POST /orders/assist": _assist,
    "POST /summarise": _summarise,
    "POST /translate": _translate,
    "GET /search": _search,
}
