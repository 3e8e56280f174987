"""OpenAI's Realtime API (https://platform.openai.com/docs/api-reference/realtime), as a server of events.

Text, sound and calls of functions; what is said to it in sound counts by its length, and is not understood.
Azure OpenAI has the same events. The older beta, asked for by the header ``OpenAI-Beta: realtime=v1``, has
other names for some.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs

import anyio

from miharu.testing import _faults
from miharu.testing._generation import Generation, Prompt, Tool, pieces
from miharu.testing._makers.base import Asked, Kit
from miharu.testing.tokens import PER_MESSAGE, count_tokens

__all__ = ("converse",)

_BYTES_A_TOKEN = 4800
"""A token of sound is a tenth of a second: 24,000 samples a second of two bytes."""
_BETA = {"response.output_text": "response.text", "response.output_audio": "response.audio"}
_POLICY = 1008


async def converse(kit: Kit, asked: Asked, receive: Any, send: Any, *, pause: float) -> None:
    """Serve one connection until its client leaves.

    Args:
        kit: What it answers with.
        asked: The request that has opened it.
        receive: The server's, as ASGI has it.
        send: The same.
        pause: Seconds between the events of an answer.
    """
    await receive()
    if not asked.path.rstrip("/").endswith("/realtime"):
        await send({"type": "websocket.close", "code": _POLICY, "reason": "Only /realtime is served here."})
        return
    offered = asked.headers.get("sec-websocket-protocol", "")
    chosen = "realtime" if "realtime" in [name.strip() for name in offered.split(",")] else None
    await send({"type": "websocket.accept", "subprotocol": chosen})
    session = _Session(kit, asked)
    await _say(send, session.opened())
    while (message := await receive())["type"] == "websocket.receive":
        for event in session.answer(message.get("text") or (message.get("bytes") or b"").decode()):
            if event is _CUT:
                await send({"type": "websocket.close", "code": 1011, "reason": "The server had an error."})
                return
            if pause:
                await anyio.sleep(pause)
            await _say(send, event)


async def _say(send: Any, event: Mapping[str, Any]) -> None:
    await send({"type": "websocket.send", "text": json.dumps(event)})


_CUT: dict[str, Any] = {}
"""Stands for a connection that breaks."""


class _Session:
    """What one connection has said so far."""

    def __init__(self, kit: Kit, asked: Asked) -> None:
        self._kit = kit
        self._beta = "realtime=v1" in asked.headers.get("openai-beta", "")
        self._fault = _faults.fault_of(asked.headers, None)
        model = parse_qs(asked.query).get("model", parse_qs(asked.query).get("deployment", ["gpt-realtime"]))
        self._session: dict[str, Any] = {
            "id": f"sess_{kit.ids()}",
            "object": "realtime.session",
            "type": "realtime",
            "model": model[0],
            "output_modalities": ["audio"],
            "instructions": "",
            "tools": [],
            "tool_choice": "auto",
            "max_output_tokens": "inf",
            "expires_at": kit.now + 3600,
        }
        if self._beta:
            self._session |= {"modalities": ["text", "audio"]}
        self._items: list[dict[str, Any]] = []
        self._heard = b""
        self._sound = 0
        """Tokens of sound among the items."""
        self._read: int = 0
        """Tokens of the prompt of the last response, which the next one finds in the cache."""

    def opened(self) -> dict[str, Any]:
        return self._event("session.created", session=self._session)

    def answer(self, text: str) -> Iterator[dict[str, Any]]:
        """What the server says to an event of the client."""
        try:
            event = json.loads(text)
            yield from self._answer(event["type"], event)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            yield self._event(
                "error",
                error={
                    "type": "invalid_request_error",
                    "code": "invalid_event",
                    "message": f"The event is not valid: {error}",
                    "param": None,
                    "event_id": None,
                },
            )

    def _answer(self, kind: str, event: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if kind == "session.update":
            self._session |= event["session"]
            yield self._event("session.updated", session=self._session)
        elif kind == "conversation.item.create":
            yield from self._added(event["item"])
        elif kind == "input_audio_buffer.append":
            self._heard += b64decode(event["audio"])
        elif kind == "input_audio_buffer.clear":
            self._heard = b""
            yield self._event("input_audio_buffer.cleared")
        elif kind == "input_audio_buffer.commit":
            tokens, self._heard = -(-len(self._heard) // _BYTES_A_TOKEN), b""
            self._sound += tokens
            item = {
                "type": "message",
                "role": "user",
                "content": [{"type": "input_audio", "transcript": None}],
            }
            made = self._made(item)
            yield self._event("input_audio_buffer.committed", item_id=made["id"], previous_item_id=None)
            yield from self._added(made)
        elif kind == "response.create":
            yield from self._responded(event.get("response") or {})
        elif kind not in {"response.cancel", "conversation.item.truncate", "output_audio_buffer.clear"}:
            raise ValueError(f"{kind} is not known")

    def _made(self, item: dict[str, Any]) -> dict[str, Any]:
        made = {"object": "realtime.item", "status": "completed", **item}
        return {"id": item.get("id") or f"item_{self._kit.ids()}", **made}

    def _added(self, item: dict[str, Any]) -> Iterator[dict[str, Any]]:
        item = self._made(item)
        self._items.append(item)
        if self._beta:
            yield self._event("conversation.item.created", item=item, previous_item_id=None)
            return
        yield self._event("conversation.item.added", item=item, previous_item_id=None)
        yield self._event("conversation.item.done", item=item, previous_item_id=None)

    def _responded(self, asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
        model = str(self._session["model"])
        fault = self._fault or _faults.fault_of({}, model)
        response: dict[str, Any] = {
            "id": f"resp_{self._kit.ids()}",
            "object": "realtime.response",
            "status": "in_progress",
            "status_details": None,
            "output": [],
            "conversation_id": f"conv_{self._session['id']}",
            "metadata": asked.get("metadata"),
            "usage": None,
        }
        yield self._event("response.created", response=response)
        if fault is not None and fault.startswith("error-"):
            status = _faults.status_of(fault) or 500
            error = _faults.error_json(status, quota=fault == "error-quota")["error"]
            details = {"type": "failed", "error": {"type": error["type"], "code": error["code"]}}
            yield self._event(
                "response.done", response=response | {"status": "failed", "status_details": details}
            )
            return
        prompt, made = self._generated(asked)
        speaks = "audio" in self._modalities(asked) and not made.tool
        item = self._item(made, speaks=speaks)
        events = list(self._output(item, made, response["id"], speaks=speaks))
        if fault == "cut-mid-stream":
            yield from events[: len(events) // 2]
            yield _CUT
            return
        yield from events
        self._items.append(item)
        reason = {"type": "incomplete", "reason": "max_output_tokens"} if made.cut else None
        ended = {
            "status": "incomplete" if made.cut else "completed",
            "status_details": reason,
            "output": [item],
            "usage": self._usage(prompt, made, speaks=speaks),
        }
        yield self._event("response.done", response=response | ended)
        yield self._event("rate_limits.updated", rate_limits=[_limit("requests"), _limit("tokens")])

    def _modalities(self, asked: dict[str, Any]) -> list[str]:
        names = ("modalities",) if self._beta else ("output_modalities", "modalities")
        found = [holder[name] for holder in (asked, self._session) for name in names if holder.get(name)]
        return list(found[0])

    def _generated(self, asked: dict[str, Any]) -> tuple[Prompt, Generation]:
        instructions = asked.get("instructions") or self._session["instructions"]
        said = [f"system: {instructions}"] if instructions else []
        said += [f"{item.get('role', item['type'])}: {_text_of(item)}" for item in self._items]
        tools = asked.get("tools") or self._session["tools"]
        limit = asked.get("max_output_tokens") or self._session["max_output_tokens"]
        answered = bool(self._items) and self._items[-1]["type"] == "function_call_output"
        choice = asked.get("tool_choice") or self._session["tool_choice"]
        prompt = Prompt(
            model=str(self._session["model"]),
            text="\n".join(said),
            question=said[-1].partition(": ")[2] if said else "",
            tokens=self._sound
            + sum(PER_MESSAGE + count_tokens(text.partition(": ")[2]) for text in said)
            + (count_tokens(json.dumps(tools)) if tools else 0),
            tools=[]
            if answered or choice == "none"
            else [Tool(name=tool["name"], schema=tool.get("parameters") or {}) for tool in tools],
            limit=limit if isinstance(limit, int) else None,
            thinks=0,
            caches=False,
        )
        return prompt, self._kit.generate(prompt)

    def _item(self, made: Generation, *, speaks: bool) -> dict[str, Any]:
        if made.tool:
            call = {"call_id": f"call_{self._kit.ids()}", "name": made.tool, "arguments": made.text}
            return self._made({"type": "function_call", **call})
        part = {"type": "output_audio", "transcript": made.text} if speaks else _written(made.text)
        return self._made({"type": "message", "role": "assistant", "content": [part]})

    def _output(
        self, item: dict[str, Any], made: Generation, response_id: str, *, speaks: bool
    ) -> Iterator[dict[str, Any]]:
        """The item, piece by piece."""
        at = {"response_id": response_id, "output_index": 0}
        where = {**at, "item_id": item["id"]}
        empty: dict[str, Any] = {"arguments": ""} if made.tool else {"content": []}
        opened = item | {"status": "in_progress"} | empty
        yield self._event("response.output_item.added", **at, item=opened)
        if made.tool:
            for piece in pieces(made.text):
                yield self._event("response.function_call_arguments.delta", **where, delta=piece)
            yield self._event("response.function_call_arguments.done", **where, arguments=made.text)
        else:
            where |= {"content_index": 0}
            part = item["content"][0]
            yield self._event("response.content_part.added", **where, part={"type": part["type"]})
            name = "response.output_audio" if speaks else "response.output_text"
            for piece in pieces(made.text):
                if speaks:
                    yield self._event("response.output_audio_transcript.delta", **where, delta=piece)
                    sound = bytes(_BYTES_A_TOKEN * count_tokens(piece))
                    yield self._event(f"{name}.delta", **where, delta=b64encode(sound).decode())
                else:
                    yield self._event(f"{name}.delta", **where, delta=piece)
            yield self._event(f"{name}.done", **where, **({} if speaks else {"text": made.text}))
            if speaks:
                yield self._event("response.output_audio_transcript.done", **where, transcript=made.text)
            yield self._event("response.content_part.done", **where, part=part)
        yield self._event("response.output_item.done", **at, item=item)

    def _usage(self, prompt: Prompt, made: Generation, *, speaks: bool) -> dict[str, Any]:
        cached = min(self._read, prompt.tokens - self._sound) // 64 * 64
        self._read = prompt.tokens
        spoken = made.completion_tokens if speaks else 0
        return {
            "total_tokens": prompt.tokens + made.completion_tokens,
            "input_tokens": prompt.tokens,
            "output_tokens": made.completion_tokens,
            "input_token_details": {
                "text_tokens": prompt.tokens - self._sound,
                "audio_tokens": self._sound,
                "image_tokens": 0,
                "cached_tokens": cached,
                "cached_tokens_details": {"text_tokens": cached, "audio_tokens": 0, "image_tokens": 0},
            },
            "output_token_details": {
                "text_tokens": made.completion_tokens - spoken,
                "audio_tokens": spoken,
            },
        }

    def _event(self, kind: str, **facts: Any) -> dict[str, Any]:
        if self._beta:
            for new, old in _BETA.items():
                kind = kind.replace(new, old)
        return {"type": kind, "event_id": f"event_{self._kit.ids()}", **facts}


def _text_of(item: Mapping[str, Any]) -> str:
    parts = item.get("content") or []
    said = [part.get("text") or part.get("transcript") or "" for part in parts]
    return "\n".join([*filter(None, said), *filter(None, (item.get("output"), item.get("arguments")))])


def _written(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text}


def _limit(name: str) -> dict[str, Any]:
    return {"name": name, "limit": 10_000, "remaining": 9_999, "reset_seconds": 0.006}
