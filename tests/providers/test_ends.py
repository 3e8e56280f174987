"""A long stream that is read from both its ends says what it says when all of it is read."""

import json
import random
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from miharu import providers
from miharu.call import Call
from miharu.plugins import load
from miharu.recorder.reading.reader import Reader
from miharu.wire import json as wire_json
from miharu.wire import sse as wire_sse
from tests.corpus import offline
from tests.world import exchange, sse

FORMATS = [provider() for _, provider in load(providers.BUILT_IN)]
USAGE = {"prompt_tokens": 9, "completion_tokens": 300, "total_tokens": 309}
USED = {"input_tokens": 4, "output_tokens": 70, "input_tokens_details": {"cached_tokens": 3}}
BULK = 120


def chunk(delta: Any, finish: str | None = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "model": "gpt-4o", "choices": [choice], **more}


def openai(planted: list[Any], *, done: bool = True, ends: list[Any] | None = None) -> dict[str, Any]:
    words = [chunk({"content": f" word {n}"}, usage=None) for n in range(BULK)]
    middle = [*words[:60], *planted, *words[60:]]
    ends = [chunk({}, "stop"), {**chunk({}), "choices": [], "usage": USAGE}] if ends is None else ends
    return {
        "url": "https://api.openai.com/v1/chat/completions",
        "asked": {"model": "gpt-4o", "messages": [], "stream": True},
        "chunks": sse(chunk({"role": "assistant", "content": ""}), *middle, *ends, done=done),
    }


def anthropic(planted: list[Any], *, done: bool = True) -> dict[str, Any]:
    message = {"id": "m", "model": "claude-sonnet-4-5", "usage": {"input_tokens": 5, "output_tokens": 1}}
    words = [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": f" word {n}"}}
        for n in range(BULK)
    ]
    end: list[Any] = [
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 80}},
        {"type": "message_stop"},
    ]
    events = [{"type": "message_start", "message": message}, *words[:60], *planted, *words[60:]]
    events += end if done else []
    named = [event if isinstance(event, str | tuple) else (event["type"], event) for event in events]
    return {
        "url": "https://api.anthropic.com/v1/messages",
        "asked": {"model": "claude-sonnet-4-5", "messages": [], "stream": True},
        "chunks": sse(*named, done=False),
    }


def responses(planted: list[Any], *, done: bool = True) -> dict[str, Any]:
    state = {"id": "r", "model": "gpt-5", "status": "in_progress", "usage": None, "error": None}
    words = [
        {"type": "response.output_text.delta", "delta": f" w{n}", "sequence_number": n} for n in range(BULK)
    ]
    usage = {**USED, "input_tokens_details": {"cached_tokens": 0}}
    last = {"type": "response.completed", "response": {**state, "status": "completed", "usage": usage}}
    events: list[Any] = [{"type": "response.created", "response": state}, *words[:60], *planted, *words[60:]]
    events += [{"type": "response.output_text.done", "text": "all of it"}, last] if done else words[:9]
    named = [event if isinstance(event, str | tuple) else (event["type"], event) for event in events]
    return {
        "url": "https://api.openai.com/v1/responses",
        "asked": {"model": "gpt-5", "input": "x", "stream": True},
        "chunks": sse(*named, done=False),
    }


PLANTED: list[tuple[Callable[..., dict[str, Any]], Any]] = [
    *(
        (openai, event)
        for event in (
            chunk({"content": "x"}, usage=USAGE | {"completion_tokens": 999}),
            chunk({"content": "x"}, x_groq={"usage": USAGE}),
            chunk({"content": "x"}, tool_usage={"web": {"count": 3}}),
            chunk({"content": "x"}, service_tier="priority"),
            chunk({"content": "x"}, error={"type": "overloaded", "message": "later"}),
            ("error", {"message": "named"}),
            {"choices": [{"error": {"code": 502, "message": "upstream"}}]},
            chunk({"executed_tools": [{"type": "search"}, {"type": "python"}]}),
            chunk({"content": "x"}, "length"),
            chunk({"content": "an error in the usage of executed_tools"}),
            "[DONE]",
            "[DONE",
            {"value": "a piece"},
            {"model": "another", "id": "another"},
            [1, 2],
        )
    ),
    *(
        (anthropic, event)
        for event in (
            {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 900, "input_tokens": 70}},
            {"type": "message_start", "message": {"id": "m2", "model": "m2", "usage": {"input_tokens": 8}}},
            {"type": "message_stop"},
            {"type": "error", "error": {"type": "overloaded_error", "message": "later"}},
            {
                "type": "content_block_start",
                "content_block": {"type": "server_tool_use", "name": "web_search"},
            },
            ("", {"type": "message_delta", "delta": {"stop_reason": "max_tokens"}}),
            ("content_block_delta", {"type": "message_delta", "delta": {"stop_reason": "max_tokens"}}),
            {"type": "ping"},
        )
    ),
    *(
        (responses, event)
        for event in (
            {"type": "response.in_progress", "response": {"id": "r2", "model": "m2", "usage": USED}},
            {"type": "response.failed", "response": {"id": "r3", "error": {"code": "server_error"}}},
            {"type": "response.incomplete"},
            {"type": "error", "code": "rate_limit", "message": "later"},
            ("error", {"message": "named"}),
            ("x", {"error": {"message": "unnamed"}}),
            ("response.output_text.delta", {"type": "response.completed", "response": {"id": "r4"}}),
        )
    ),
]


def read(**facts: Any) -> Call:
    call = Reader(FORMATS, mint=lambda _: "0" * 36).read(exchange(**facts))
    assert call is not None
    return call


def all_of_it(monkeypatch: pytest.MonkeyPatch, **facts: Any) -> Call:
    with monkeypatch.context() as patched:
        patched.setattr(wire_sse, "middle", lambda body, end: None)
        return read(**facts)


def same(one: Call, other: Call) -> bool:
    return repr(one).partition("api=")[2] == repr(other).partition("api=")[2]


@pytest.mark.parametrize(("stream", "planted"), PLANTED)
@pytest.mark.parametrize("done", [True, False])
def test_what_stands_in_the_middle_counts(
    monkeypatch: pytest.MonkeyPatch, stream: Callable[..., dict[str, Any]], planted: Any, done: bool
) -> None:
    facts = {**stream([planted], done=done), "end": "eof" if done else "closed"}
    assert same(read(**facts), all_of_it(monkeypatch, **facts))


@pytest.mark.parametrize(
    "ends",
    [
        [],
        [chunk({"content": "x"})] * 6,
        [{"choices": [], "usage": USAGE}],
        [chunk({}, "stop"), *[{"id": "d"}] * 6],
    ],
)
@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize(
    "planted",
    [
        [chunk({}, "stop")],
        [chunk({"content": "an error"}, "length"), chunk({}, "stop")],
        [chunk({}, None, service_tier="flex")],
        [{"model": "m2"}],
        ["[DONE]"],
        [{"value": "x"}],
    ],
)
@pytest.mark.parametrize("end", ["eof", "closed"])
def test_an_end_that_leaves_something_out_does_not_hide_it(
    monkeypatch: pytest.MonkeyPatch, ends: list[Any], done: bool, planted: list[Any], end: str
) -> None:
    facts = {**openai(planted, done=done, ends=ends), "end": end}
    assert same(read(**facts), all_of_it(monkeypatch, **facts))


@pytest.mark.parametrize("stream", [openai, anthropic, responses])
def test_lines_may_end_in_any_way(
    monkeypatch: pytest.MonkeyPatch, stream: Callable[..., dict[str, Any]]
) -> None:
    facts = stream([])
    known = all_of_it(monkeypatch, **facts)
    for end, passed_over in ((b"\r\n", True), (b"\r", False)):
        chunks = [each.replace(b"\n", end) for each in facts["chunks"]]
        body = b"".join(chunks)
        assert (wire_sse.middle(body, next(wire_sse.events(body)).end) is not None) == passed_over
        assert same(read(**{**facts, "chunks": chunks}), known)
    mixed = [each.replace(b"\n", b"\r\n") if n % 3 else each for n, each in enumerate(facts["chunks"])]
    assert same(read(**{**facts, "chunks": mixed}), known)


@pytest.mark.parametrize("stream", [openai, anthropic, responses])
@pytest.mark.parametrize("end", ["eof", "closed"])
def test_it_may_be_cut_anywhere(
    monkeypatch: pytest.MonkeyPatch, stream: Callable[..., dict[str, Any]], end: str
) -> None:
    facts = stream([])
    body, rng = b"".join(facts["chunks"]), random.Random(1)
    for where in (len(body) - 1, len(body) - 2, *(rng.randrange(len(body)) for _ in range(40))):
        cut = {**facts, "chunks": [body[:where]], "end": end}
        assert same(read(**cut), all_of_it(monkeypatch, **cut))


@pytest.mark.parametrize("stream", [openai, anthropic, responses])
def test_few_events_of_many_are_parsed(
    monkeypatch: pytest.MonkeyPatch, stream: Callable[..., dict[str, Any]]
) -> None:
    parsed = list[object]()

    def loads(data: bytes) -> Any:
        parsed.append(data)
        return wire_json.loads(data)

    for module in ("openai.completions._chunks", "openai.responses", "anthropic.messages"):
        monkeypatch.setattr(f"miharu.providers.{module}.loads", loads)
    call = read(**stream([]))
    assert (call.outcome.status, call.usage.usage_source) == ("success", "provider")
    assert call.ttft_ms is not None
    assert 0 < len(parsed) < 12


def test_content_that_does_not_say_so_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """An event whose name ends in .delta and whose type does not."""
    facts = responses([])
    facts["chunks"][1:1] = sse(("x.delta", {"type": "x"}), done=False)
    assert same(read(**facts), all_of_it(monkeypatch, **facts))


def recorded() -> Iterator[dict[str, Any]]:
    for one in offline.exchanges():
        if one["stream"]:
            yield one


@pytest.mark.skipif(not offline.CORPUS.is_dir(), reason=f"no recorded traffic at {offline.CORPUS.name}")
def test_recorded_streams_are_read_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    passed_over = 0
    found = wire_sse.middle

    def middle(body: bytes, end: int) -> wire_sse.Middle | None:
        nonlocal passed_over
        between = found(body, end)
        passed_over += between is not None
        return between

    monkeypatch.setattr(wire_sse, "middle", middle)
    for one in recorded():
        ours = offline.call_of(Reader(FORMATS), one)
        with monkeypatch.context() as patched:
            patched.setattr(wire_sse, "middle", lambda body, end: None)
            assert _facts(ours) == _facts(offline.call_of(Reader(FORMATS), one)), one["id"]
    assert passed_over > 20


def _facts(call: Call | None) -> Any:
    return call and (call.usage, call.outcome, call.model, call.finish_reason, call.response_id, call.cost)


def test_marked_events_are_found_once_and_where_they_are() -> None:
    body = b"".join(
        sse(*({"n": n, "is": "marked" if n % 50 == 7 else "not"} for n in range(200)), done=False)
    )
    part = wire_sse.middle(body, next(wire_sse.events(body)).end)
    assert part is not None
    found = list(wire_sse.marked(body, part, (b"marked", re.compile(b"arke."))))
    assert [json.loads(event.data)["n"] for event in found] == [7, 57, 107, 157]
    assert [json.loads(event.data)["n"] for event in wire_sse.events(body, part.stop)] == [196, 197, 198, 199]
    assert {event.end for event in found} <= {event.end for event in wire_sse.events(body)}


def test_a_stream_of_too_many_lines_is_read_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    body = b"".join(sse(*({"n": n} for n in range(2000)), done=False))
    end = next(wire_sse.events(body)).end
    assert wire_sse.middle(body, end) is not None
    monkeypatch.setattr(wire_sse, "MOST", 4000)
    assert wire_sse.middle(body, end) is None
