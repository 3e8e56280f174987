"""Tools that nobody observes: an answer asks for one, and a later request brings its result."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from miharu.attribution.context import Context, Origin
from miharu.attribution.stated import Stated
from miharu.batch import UNTOLD, Span
from miharu.call import Call
from miharu.recorder.reading import tool_runs
from miharu.recorder.reading.reader import Reader
from tests.recorder.reading.test_tool_names import (
    BLOCKS,
    CASES,
    CHAT,
    CLAUDE,
    FORMATS,
    ITEMS,
    JSON,
    MISTRAL,
    OPENAI,
    PARTS,
    RESPONSES,
    USES,
    function,
)
from tests.world import exchange

NOON = 1_790_000_000_000
FOUND: dict[str, dict[str, Any]] = {
    OPENAI: {"choices": [{"message": {"content": "ok"}, "finish_reason": "stop"}]},
    RESPONSES: {"object": "response", "status": "completed", "output": []},
    CLAUDE: {"type": "message", "content": [{"type": "text", "text": "ok"}], "stop_reason": "end_turn"},
}


class Loop:
    """A program that runs tools: it asks, and brings the results."""

    def __init__(self, **options: Any) -> None:
        self.reader = Reader(FORMATS, **options)
        self.now = NOON

    def call(
        self,
        url: str,
        asked: Any,
        answer: Any,
        headers: dict[str, str] = JSON,
        *,
        context: Context | None = None,
        status: int = 200,
        took_ms: int = 100,
    ) -> Call:
        chunks = answer if isinstance(answer, list) else [json.dumps(answer).encode()]
        made = exchange(
            url=url,
            asked={"model": "m", "max_tokens": 9, **asked},
            chunks=chunks,
            headers=headers,
            context=context,
            status=status,
            took_ms=took_ms,
        )
        made.timestamp = self.now
        self.now += took_ms
        call = self.reader.read(made)
        assert call is not None
        return call

    def works(self, ms: int = 250) -> None:
        self.now += ms

    @property
    def ran(self) -> Sequence[Span]:
        return self.reader.recognised()


def tool(id_: str, content: str = "gone", **more: str) -> dict[str, str]:
    return {"role": "tool", "tool_call_id": id_, "content": content, **more}


def chat(*ids: str) -> dict[str, Any]:
    """An answer that asks for ``find`` by each id."""
    return {"choices": [{"message": {"tool_calls": [function("find") | {"id": id_} for id_ in ids]}}]}


ASSISTANT = {"role": "assistant", "content": None, "tool_calls": [function("find"), function("refund")]}
OF_CHAT = {"messages": [ASSISTANT, tool("one"), tool("two")]}
OF_ITEMS = {"input": [*ITEMS, *({"type": "function_call_output", "call_id": i["call_id"]} for i in ITEMS)]}
OF_CLAUDE = {
    "messages": [
        {"role": "assistant", "content": BLOCKS},
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "find", "is_error": False, "content": "x" * 9000},
                {"type": "tool_result", "tool_use_id": "refund", "is_error": True, "content": "no"},
                {"type": "text", "text": "go on"},
            ],
        },
    ]
}
OF_GEMINI = {
    "contents": [
        {"role": "model", "parts": PARTS},
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"name": "find", "response": {"result": 3}}},
                {"functionResponse": {"name": "refund", "response": {"error": "no"}}},
            ],
        },
    ]
}
OF_CONVERSE = {
    "messages": [
        {"role": "assistant", "content": USES},
        {
            "role": "user",
            "content": [
                {"toolResult": {"toolUseId": "find", "content": [{"text": "x"}]}},
                {"toolResult": {"toolUseId": "refund", "content": [{"text": "no"}], "status": "error"}},
            ],
        },
    ]
}
OF_OLLAMA: dict[str, list[Any]] = {
    "messages": [
        {"role": "assistant", "tool_calls": [function("find"), function("refund")]},
        {"role": "tool", "tool_name": "find", "content": "x"},
        {"role": "tool", "tool_name": "refund", "content": "no"},
    ]
}
BROUGHT = {
    **dict.fromkeys(("chat", "chat-stream", "mistral", "cohere", "cohere-stream"), OF_CHAT),
    **dict.fromkeys(("responses", "responses-stream"), OF_ITEMS),
    **dict.fromkeys(("anthropic", "anthropic-stream"), OF_CLAUDE),
    **dict.fromkeys(("gemini", "gemini-stream"), OF_GEMINI),
    **dict.fromkeys(("converse", "converse-stream"), OF_CONVERSE),
    "ollama": OF_OLLAMA,
}


def with_own_ids(answer: Any) -> Any:
    """The same with an id for each call: the examples of the names have one for both."""
    whole = [json.dumps(answer).encode()] if isinstance(answer, dict) else answer
    text = b"\0\0".join(whole)
    if text.count(b'"id": "c"') != 2:
        return answer
    first, second, third = text.split(b'"id": "c"')
    return (first + b'"id": "one"' + second + b'"id": "two"' + third).split(b"\0\0")


@pytest.mark.parametrize("capture", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_every_format_says_which_tools_ran(name: str, capture: bool) -> None:
    url, answer, headers = CASES[name]
    loop = Loop(capture_content=capture, service="shop")
    asking = loop.call(url, {"messages": [], "tools": [{"name": "find"}]}, with_own_ids(answer), headers)
    assert not loop.ran
    loop.works(250)
    bringing = loop.call(url, BROUGHT[name], with_own_ids(answer), headers)
    found = loop.ran
    told = name.startswith(("anthropic", "gemini", "converse"))
    assert [(span.name, span.status) for span in found] == [
        ("find", "success"),
        ("refund", "error" if told else "success"),
    ]
    for span in found:
        assert span.is_tool
        assert span.result_in == bringing.call_group
        assert (UNTOLD in (span.tags or {})) is not told
        assert (span.timestamp, span.duration_ms) == (NOON + asking.duration_ms, 250)
        assert (span.trace_id, span.service) == (asking.trace_id, "shop")
        assert (span.input, span.output, span.error_message) == (None, None, None)
    assert len({span.id for span in found}) == 2


@pytest.mark.parametrize("url", [OPENAI, MISTRAL])
def test_a_result_counts_once_however_often_it_is_sent(url: str) -> None:
    loop = Loop()
    loop.call(url, {"messages": []}, chat("one"))
    history: list[Any] = [{"role": "assistant", "tool_calls": [{"id": "one"}]}, tool("one")]
    loop.call(url, {"messages": history}, {"error": {"message": "slow down"}}, status=429)
    assert [span.name for span in loop.ran] == ["find"]
    loop.call(url, {"messages": history}, chat("two"))  # again, and in another branch
    loop.call(url, {"messages": [*history, {"role": "user", "content": "or so"}]}, chat("three"))
    assert not loop.ran
    loop.call(url, {"messages": [*history, {"role": "assistant"}, tool("two")]}, FOUND[OPENAI])
    assert [span.name for span in loop.ran] == ["find"]


def test_a_retry_is_the_same_call() -> None:
    loop = Loop()
    loop.call(OPENAI, {"messages": []}, chat("one"))
    brought = {"messages": [{"role": "assistant"}, tool("one")]}
    loop.call(OPENAI, brought, {"error": {"message": "slow down"}}, status=429)
    again = loop.call(OPENAI, brought, FOUND[OPENAI])
    [span] = loop.ran
    assert (again.attempt, span.result_in) == (2, again.call_group)


def test_the_results_of_all_turns_in_a_row_count_each_once() -> None:
    loop = Loop()
    history: list[Any] = [{"role": "user", "content": "find it"}]
    for number in range(100):
        call = {"type": "function_call", "call_id": f"c{number}", "name": f"find_{number}", "arguments": "{}"}
        loop.call(RESPONSES, {"input": history}, {**FOUND[RESPONSES], "output": [call]})
        history += [call, {"type": "function_call_output", "call_id": f"c{number}", "output": "x"}]
        if number:
            assert [span.name for span in loop.ran] == [f"find_{number - 1}"]


def test_a_tool_that_the_provider_ran_is_no_run_of_the_program() -> None:
    loop = Loop()
    search = [
        {"type": "server_tool_use", "id": "srv", "name": "web_search", "input": {}},
        {"type": "web_search_tool_result", "tool_use_id": "srv", "content": []},
    ]
    loop.call(CLAUDE, {"messages": []}, {**FOUND[CLAUDE], "content": search})
    said = [{"role": "assistant", "content": search}, {"role": "user", "content": "thanks"}]
    loop.call(CLAUDE, {"messages": said}, FOUND[CLAUDE])
    assert not loop.ran


def request(trace: str, user: str | None = None) -> Context:
    """A web request whose caller names its trace."""
    header = (b"traceparent", f"00-{trace * 32}-{'1' * 16}-01".encode())
    origin = Origin({"type": "http", "headers": [header], "method": "GET"})
    return Context(origin=origin, stated=Stated(user=user))


def test_a_run_belongs_to_the_call_that_asked_for_it() -> None:
    loop = Loop()
    asking = loop.call(OPENAI, {"messages": []}, chat("one"), context=request("a", "ann"))
    loop.call(OPENAI, {"messages": [tool("one")]}, FOUND[OPENAI], context=request("b", "ann"))
    [span] = loop.ran
    assert (span.trace_id, span.parent_id) == (asking.trace_id, asking.parent_id) == ("a" * 32, "1" * 16)
    assert span.user_id == "ann"


def test_the_same_id_in_two_conversations_is_told_apart_by_the_trace() -> None:
    """Some servers number the calls of tools from 0 on."""
    loop = Loop()
    for trace in "ab":
        loop.call(OPENAI, {"messages": []}, chat("call_0"), context=request(trace))
    for trace in "ab":
        loop.call(OPENAI, {"messages": [tool("call_0")]}, FOUND[OPENAI], context=request(trace))
    assert [span.trace_id for span in loop.ran] == ["a" * 32, "b" * 32]


def test_the_same_id_that_two_answers_outside_of_traces_await_is_neither() -> None:
    loop = Loop()
    for _ in range(2):
        loop.call(OPENAI, {"messages": []}, chat("call_0"))
    loop.call(OPENAI, {"messages": [tool("call_0")]}, FOUND[OPENAI])
    assert not loop.ran
    loop.call(OPENAI, {"messages": []}, chat("call_0"))
    loop.call(OPENAI, {"messages": [tool("call_0")]}, FOUND[OPENAI])
    assert len(loop.ran) == 1


def test_what_was_brought_before_the_answer_had_come_is_the_result_of_another() -> None:
    loop = Loop()
    loop.call(OPENAI, {"messages": []}, chat("call_0"))
    loop.now -= 50
    loop.call(OPENAI, {"messages": [tool("call_0")]}, FOUND[OPENAI])
    assert not loop.ran
    loop.call(OPENAI, {"messages": [tool("call_0")]}, FOUND[OPENAI])
    assert [span.duration_ms for span in loop.ran] == [50]


def test_the_same_id_of_another_user_is_not_this_one() -> None:
    loop = Loop()
    loop.call(OPENAI, {"messages": []}, chat("call_0"), context=request("a", "ann"))
    loop.call(OPENAI, {"messages": [tool("call_0")]}, FOUND[OPENAI], context=request("b", "ben"))
    assert not loop.ran


def test_a_result_without_an_id_is_looked_for_in_its_own_trace_alone() -> None:
    url, answer, headers = CASES["gemini"]
    loop = Loop()
    loop.call(url, {"contents": []}, answer, headers, context=request("a"))
    loop.call(url, OF_GEMINI, answer, headers, context=request("b"))
    assert not loop.ran
    loop.call(url, OF_GEMINI, answer, headers, context=request("a"))
    assert [span.name for span in loop.ran] == ["find", "refund"]


@pytest.mark.parametrize("role", ["user", "function"])
def test_results_without_ids_find_their_calls_by_name_and_order(role: str) -> None:
    url, _, headers = CASES["gemini"]
    calls = [
        {"functionCall": {"name": name, "args": {"number": number}}}
        for number, name in enumerate(("find", "find", "refund"))
    ]
    answer = {"candidates": [{"content": {"role": "model", "parts": calls}, "finishReason": "STOP"}]}
    results: list[Any] = [
        {"functionResponse": {"name": name, "response": {}}} for name in ("refund", "find", "find")
    ]
    loop = Loop()
    loop.call(url, {"contents": []}, answer, headers)
    asked = {"contents": [{"role": "model", "parts": calls}, {"role": role, "parts": results}]}
    loop.call(url, asked, answer, headers)
    assert [span.name for span in loop.ran] == ["refund", "find", "find"]


def test_a_result_of_ollama_names_its_tool() -> None:
    url, answer, headers = CASES["ollama"]
    loop = Loop()
    loop.call(url, {"messages": []}, answer, headers)
    asking, *results = OF_OLLAMA["messages"]
    loop.call(url, {"messages": [asking, *reversed(results)]}, answer, headers)
    assert [span.name for span in loop.ran] == ["refund", "find"]


def test_a_run_that_the_program_records_itself_is_not_made_out_as_well() -> None:
    loop = Loop()
    loop.call(OPENAI, {"messages": []}, with_own_ids(CHAT))
    own = Span(
        id="1" * 16,
        trace_id="2" * 32,  # outside of a request a span begins a trace of its own
        name="find",
        timestamp=loop.now,
        duration_ms=20,
        status="error",
        kind="execute_tool",
    )
    loop.reader.span(own)
    loop.reader.span(replace(own, name="refund", kind=None))
    loop.works(20)
    loop.call(OPENAI, {"messages": [tool("one"), tool("two")]}, chat("later"))
    assert [span.name for span in loop.ran] == ["refund"]
    loop.works(500)
    loop.call(OPENAI, {"messages": [tool("later")]}, FOUND[OPENAI])
    assert [span.name for span in loop.ran] == ["find"]  # this time it has not


def test_what_is_left_out_asks_for_nothing_and_brings_nothing() -> None:
    loop = Loop(ignore=lambda call: call.tools is not None)
    with pytest.raises(AssertionError):
        loop.call(OPENAI, {"messages": []}, chat("one"))
    loop.call(OPENAI, {"messages": [tool("one")]}, FOUND[OPENAI])
    assert not loop.ran


def test_only_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool_runs, "REMEMBERED", 4)
    loop = Loop()
    for number in range(10):
        loop.call(OPENAI, {"messages": []}, chat(f"c{number}"))
    for number in range(10):
        loop.call(OPENAI, {"messages": [tool(f"c{number}")]}, FOUND[OPENAI])
    assert len(loop.ran) == 4


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": ["tool"]}],
        [3, None, tool("one"), "x"],
        [{"role": "user", "content": [{"type": 3, "toolResult": []}, {"functionResponse": {"id": {}}}]}],
        {"role": "tool"},
    ],
)
def test_a_request_that_makes_no_sense_is_a_call_all_the_same(messages: Any) -> None:
    loop = Loop()
    loop.call(OPENAI, {"messages": []}, chat("one"))
    loop.call(OPENAI, {"messages": messages}, FOUND[OPENAI])
    assert not loop.ran


def test_nothing_is_looked_through_while_no_result_is_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    def looked(*_: object) -> Any:
        raise AssertionError

    monkeypatch.setattr(tool_runs, "results_in", looked)
    loop = Loop()
    loop.call(OPENAI, {"messages": [tool("one")]}, FOUND[OPENAI])
    assert not loop.ran


def test_a_secret_in_a_name_is_not_kept() -> None:
    secret = "sk-proj-" + "a1B2c3D4" * 6
    loop = Loop()
    answer = {"choices": [{"message": {"tool_calls": [function(secret) | {"id": "one"}]}}]}
    loop.call(OPENAI, {"messages": []}, answer)
    loop.call(OPENAI, {"messages": [tool("one")]}, FOUND[OPENAI])
    [span] = loop.ran
    assert secret not in span.name
