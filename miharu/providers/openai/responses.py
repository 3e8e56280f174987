"""OpenAI Responses (https://platform.openai.com/docs/api-reference/responses), plain and streamed.

A stream ends in ``response.completed``, ``.incomplete`` or ``.failed``, each with the whole response and its
usage; there is no ``[DONE]``.

A response in the background is answered ``queued``, without usage; that opens the call. A later
``GET …/responses/{id}`` that finds it finished completes the call. Any other ``GET`` is not a call.

Over a WebSocket (https://platform.openai.com/docs/guides/websocket-mode) each ``response.create`` is a
request, and the events of its stream come one a message.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from miharu.providers._session import SWITCHED, events_of
from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.fixed import Fixed, fixed_beside, leading
from miharu.providers.openai._common import answer_of, billed, is_meant, items, reading_of
from miharu.providers.openai._errors import error_field
from miharu.providers.openai._usage import usage_of, usages_beside
from miharu.providers.turns import OPENAI_RESPONSES
from miharu.wire import sse
from miharu.wire.json import count, later, loads, mapping, text
from miharu.wire.large import salvaged

if TYPE_CHECKING:
    from miharu.providers.messages import Said

__all__ = ("OpenAIResponses", "read_response")

_TERMINAL = {"response.completed", "response.incomplete", "response.failed"}
_MARKS = (b"error", b'"response"')
_ENDED = {"completed", "incomplete", "failed", "cancelled"}
_UNPAID = {
    "function_call",
    "custom_tool_call",
    "local_shell_call",
    "apply_patch_call",
    "computer_call",
    "tool_search_call",
    "mcp_call",
}
"""Calls of tools that the user's own program runs, or that cost nothing but tokens."""


class OpenAIResponses:
    """Reads ``POST …/responses``, ``POST …/responses/compact``, ``GET …/responses/{id}``, and sessions."""

    api = "openai.responses"
    rules = (
        Rule("/responses"),
        Rule("/responses/compact"),
        Rule("/responses", method="GET"),
        Rule("/responses", method="WEBSOCKET", turns=OPENAI_RESPONSES),
    )

    def read(self, wire: Wire) -> Reading | None:
        if wire.method == "GET":
            return _completion(wire)
        if wire.status == SWITCHED:
            reading = read_response(wire)
            return reading if wire.provider is not None or reading.model else None
        if not is_meant(wire, asked="input", answered="response" if wire.is_event_stream else "output"):
            return None
        return read_response(wire)

    def messages(self, request: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]) -> "Said":
        from miharu.providers.openai._responses_conversation import messages

        return messages(request, answers)

    def fixed(self, request: Mapping[str, Any]) -> Fixed:
        found = fixed_beside(request, "instructions")
        kept = mapping(request.get("prompt"))  # with the provider, by its id
        at_provider = ({"id": kept.get("id"), "version": kept.get("version")},) if kept.get("id") else ()
        return Fixed((*at_provider, *found.system, *leading(request.get("input"))), found.tools)


def _completion(wire: Wire) -> Reading | None:
    """The end of a response that was created in the background, if that is what was fetched."""
    reading = read_response(wire) if wire.status == 200 and b'"background"' in wire.body else None
    return reading if reading and reading.completes and reading.response_id else None


def read_response(wire: Wire) -> Reading:
    """What a response says, plain, streamed or told in a session."""
    if wire.status == SWITCHED:
        response, terminated, ttft = _last_state(wire, _messages(wire))
    elif wire.is_event_stream:
        response, terminated, ttft = _streamed(wire)
    else:
        response, terminated, ttft = answer_of(wire), bool(answer_of(wire)), None
    status = text(response.get("status"))
    created, completed = count(response, "created_at"), count(response, "completed_at")
    return reading_of(
        wire,
        response,
        terminated=terminated,
        stream=_is_stream(wire) or wire.asked.get("stream") is True,
        ttft_ms=ttft,
        usage=usage_of(response.get("usage"), {**_tools(response), **usages_beside(response)}),
        terms={**_terms(wire, response), **billed(response)},
        finish_reason=text(mapping(response.get("incomplete_details")).get("reason")) or status,
        completes=(
            wire.method == "GET"
            and response.get("object") == "response"
            and response.get("background") is True
            and status in _ENDED
        ),
        began_ms=created * 1000 if created else None,
        lasted_ms=max(0, completed - created) * 1000 if created and completed else None,
    )


def _is_stream(wire: Wire) -> bool:
    return wire.is_event_stream or wire.status == SWITCHED


def _messages(wire: Wire) -> Iterator[tuple[sse.Event, Mapping[str, Any]]]:
    """Those of a session; of a long piece of content only the start was kept."""
    for event in events_of(wire):
        cut = "response.cut.delta" if not event.data and b".delta" in event.raw else ""
        yield sse.Event(cut, event.raw, event.end), event.data


def _streamed(wire: Wire) -> tuple[Mapping[str, Any], bool, int | None]:
    """The response as the last event has it, whether that was its end, and when content began."""
    response, terminated, ttft = _last_state(wire, _told(wire))
    if not terminated:  # any event may say so
        response, terminated, ttft = _last_state(wire, _told(wire, in_part=False))
    if not terminated and wire.gap is not None and (usage := mapping(_end_of(wire, wire.gap).get("usage"))):
        # no other event has any; whether it was complete stood at the start of this one, which is missing
        response, terminated = {**response, "usage": usage, "status": None}, True
    if not terminated and not response.get("error") and (error := error_field(wire.body)):
        response = {**response, "error": error}
    return response, terminated, ttft


def _told(wire: Wire, *, in_part: bool = True) -> Iterator[tuple[sse.Event, Mapping[str, Any]]]:
    """All up to the first content, then those that tell of the response or an error, and the last."""
    body, following = wire.body, sse.events(wire.body)
    for event in following:
        data = mapping(loads(event.data))
        yield event, data
        if _kind(event, data).endswith(".delta") and wire.ms_at(event.end) is not None:
            break
    else:
        return
    between = sse.middle(body, event.end) if in_part and wire.gap is None else None
    if between is not None:
        following = chain(sse.marked(body, between, _MARKS), sse.events(body, between.stop))
    for event in following:
        if not event.name.endswith(".delta"):  # the bulk of a stream, and nothing of it is needed any more
            yield event, mapping(loads(event.data))


def _kind(event: sse.Event, data: Mapping[str, Any]) -> str:
    return text(data.get("type")) or event.name


def _last_state(
    wire: Wire, told: Iterable[tuple[sse.Event, Mapping[str, Any]]]
) -> tuple[Mapping[str, Any], bool, int | None]:
    response: Mapping[str, Any] = {}
    terminated, ttft = False, None
    for event, data in told:
        kind = _kind(event, data)
        if ttft is None and kind.endswith(".delta"):
            ttft = wire.ms_at(event.end)
        if newer := mapping(data.get("response")):
            usage = later(mapping(response.get("usage")), mapping(newer.get("usage")))
            response = {**newer, "usage": usage} if usage else newer
        terminated = terminated or kind in _TERMINAL
        if kind == "error" or (data.get("error") and not data.get("response")):
            # the fields of the error stand in the event itself, beside its type
            fields = data.get("error") or {"code": data.get("code"), "message": data.get("message")}
            response = {**response, "error": fields}
    return response, terminated, ttft


def _end_of(wire: Wire, gap: int) -> Mapping[str, Any]:
    """What is told by the end of the last event, which has the whole answer in it and may be cut."""
    return salvaged(b"", wire.body[gap:])


def _tools(response: Mapping[str, Any]) -> dict[str, Any]:
    """Uses of tools that have a price of their own; they stand beside the usage, or only in the output."""
    calls = Counter(
        kind
        for item in map(mapping, items(response.get("output")))
        if (kind := text(item.get("type")) or "").endswith("_call")
        and kind not in _UNPAID
        # a page opened, or searched through, is not a search (https://platform.openai.com/docs/pricing)
        and (kind != "web_search_call" or mapping(item.get("action")).get("type", "search") == "search")
    )
    return {"tool_calls": dict(calls)} if calls else {}


def _terms(wire: Wire, response: Mapping[str, Any]) -> dict[str, str]:
    """What was asked for and has a price of its own; the answer repeats most of the request."""
    terms: dict[str, str] = {}
    tools = [mapping(tool) for holder in (response, wire.asked) for tool in items(holder.get("tools"))]
    if any((text(tool.get("type")) or "").startswith("web_search_preview") for tool in tools):
        terms["web_search"] = "preview"
    options = (mapping(holder.get("background_options")) for holder in (response, wire.asked))
    windows = (text(option.get("completion_window")) for option in options)
    window = next(filter(None, windows), "soonest")
    return terms if window == "soonest" else {**terms, "completion_window": window}
