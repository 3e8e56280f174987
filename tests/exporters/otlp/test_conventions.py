"""A call in the words of the conventions."""

import json
from dataclasses import replace
from typing import Any

import pytest

from miharu.batch import Span
from miharu.call import Body, Outcome, Usage
from miharu.exporters.otlp.content import LONGEST, content_of
from miharu.exporters.otlp.conventions import (
    attributes_of_call,
    attributes_of_span,
    ids_of_call,
    name_of,
    name_of_span,
)
from miharu.exporters.otlp.encoding import encoded
from miharu.exporters.otlp.operations import OPERATIONS, SEPARATE_SYSTEM, operation_of, provider_of
from miharu.providers import BUILT_IN
from miharu.providers.bodies.said import said_in
from miharu.providers.messages import Message, Part, Said
from miharu.testing.store_contract import make_call


def test_each_wire_format_has_an_operation() -> None:
    assert set(OPERATIONS) == {point.name for point in BUILT_IN}
    assert set(OPERATIONS) >= SEPARATE_SYSTEM


def test_a_plug_ins_wire_format_is_called_by_its_last_word() -> None:
    assert operation_of("acme.rank") == "rank"
    assert provider_of("acme.rank", None) == "acme"


@pytest.mark.parametrize(
    ("api", "provider", "expected"),
    [
        ("openai.chat", "groq", "groq"),
        ("openai.chat", None, "openai"),
        ("gemini.generate", None, "gcp.gen_ai"),
        ("bedrock.converse", None, "aws.bedrock"),
        ("mistral.ocr", None, "mistral_ai"),
    ],
)
def test_the_provider_is_the_hosts_and_else_the_formats(
    api: str, provider: str | None, expected: str
) -> None:
    assert attributes_of_call(make_call(api=api, provider=provider))["gen_ai.provider.name"] == expected


def test_usage_has_the_conventions_names() -> None:
    usage = Usage(
        prompt_tokens=1,
        completion_tokens=2,
        cached_tokens=3,
        cache_write_tokens=4,
        reasoning_tokens=5,
        audio_input_tokens=6,
        audio_output_tokens=7,
        image_input_tokens=8,
        image_output_tokens=0,
    )
    said = attributes_of_call(make_call(usage=usage))
    assert {
        name: value
        for name, value in said.items()
        if name.startswith("gen_ai.usage.") and value != said.get("miharu.cost.usd")
    } == {
        "gen_ai.usage.input_tokens": 1,
        "gen_ai.usage.output_tokens": 2,
        "gen_ai.usage.cache_read.input_tokens": 3,
        "gen_ai.usage.cache_write.input_tokens": 4,
        "gen_ai.usage.reasoning.output_tokens": 5,
        "gen_ai.usage.audio.input_tokens": 6,
        "gen_ai.usage.audio.output_tokens": 7,
        "gen_ai.usage.image.input_tokens": 8,
        "gen_ai.usage.image.output_tokens": 0,
    }


def test_what_is_not_known_is_left_out() -> None:
    said = attributes_of_call(make_call(usage=Usage(), cost=None, model=None, request_model=None))
    assert not [name for name in said if name.startswith("gen_ai.usage.") or name.endswith("model")]
    assert "miharu.cost.usd" not in said
    assert name_of(make_call(model=None, request_model=None)) == "chat"


def test_only_an_error_has_an_error_type() -> None:
    gone = Outcome(status="cancelled", error_type="client_disconnected")
    assert "error.type" not in attributes_of_call(make_call(outcome=gone))
    failed = Outcome(status="error")
    assert attributes_of_call(make_call(outcome=failed))["error.type"] == "_OTHER"


@pytest.mark.parametrize(
    ("host", "address", "port"),
    [
        ("api.openai.com", "api.openai.com", None),
        ("localhost:8000", "localhost", 8000),
        ("[::1]:8000", "::1", 8000),
        (None, None, None),
    ],
)
def test_the_server_is_named(host: str | None, address: str | None, port: int | None) -> None:
    said = attributes_of_call(make_call(host=host))
    assert (said.get("server.address"), said.get("server.port")) == (address, port)


def test_a_call_without_a_trace_is_one_of_its_own() -> None:
    call = make_call(trace_id=None)
    trace, span = ids_of_call(call.id, None)
    assert trace == call.id.replace("-", "")
    assert trace.endswith(span)
    assert ids_of_call(call.id, "f" * 32) == ("f" * 32, span)


def test_half_a_character_is_replaced() -> None:
    assert encoded("a\ud800b").string_value == "a?b"


def content(api: str, request: dict[str, Any], response: dict[str, Any], **facts: Any) -> dict[str, Any]:
    body = Body(request=json.dumps(request).encode(), response=json.dumps(response).encode())
    found = content_of(make_call(api=api, body=body, **facts), said_in)
    return {name: json.loads(value) for name, value in found.items()}


def test_messages_have_parts_in_the_conventions_form() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"city": "Paris"}'}}
    said = content(
        "openai.chat",
        {
            "messages": [
                {"role": "system", "content": "be short"},
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "here?"},
                        {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}},
                    ],
                },
                {"role": "assistant", "tool_calls": [call]},
                {"role": "tool", "tool_call_id": "c1", "content": "rain"},
            ],
            "tools": [{"type": "function", "function": {"name": "find"}}],
        },
        {"choices": [{"index": 0, "message": {"role": "assistant", "content": "it rains"}}]},
        finish_reason="stop",
    )
    system, user, assistant, tool = said["gen_ai.input.messages"]
    assert system == {"role": "system", "parts": [{"type": "text", "content": "be short"}]}
    assert user["parts"][0] == {"type": "text", "content": "here?"}
    assert user["parts"][1] == {"type": "uri", "modality": "image", "uri": "https://x.example/a.png"}
    assert assistant["parts"] == [
        {"type": "tool_call", "id": "c1", "name": "find", "arguments": {"city": "Paris"}}
    ]
    assert tool["parts"] == [{"type": "tool_call_response", "id": "c1", "response": "rain"}]
    assert said["gen_ai.output.messages"] == [
        {"role": "assistant", "parts": [{"type": "text", "content": "it rains"}], "finish_reason": "stop"}
    ]
    assert said["gen_ai.tool.definitions"] == [{"type": "function", "name": "find"}]
    assert "gen_ai.system_instructions" not in said


def test_instructions_that_are_sent_beside_the_messages_stay_beside_them() -> None:
    said = content(
        "anthropic.messages",
        {"system": "be short", "messages": [{"role": "user", "content": "hi"}]},
        {
            "role": "assistant",
            "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "yo"}],
        },
    )
    assert said["gen_ai.system_instructions"] == [{"type": "text", "content": "be short"}]
    assert [one["role"] for one in said["gen_ai.input.messages"]] == ["user"]
    assert said["gen_ai.output.messages"][0]["parts"] == [
        {"type": "reasoning", "content": "hm"},
        {"type": "text", "content": "yo"},
    ]


def test_a_long_conversation_keeps_its_end() -> None:
    messages = [{"role": "user", "content": f"{number} " + "x" * 10_000} for number in range(60)]
    said = content("openai.chat", {"messages": messages}, {})
    kept = said["gen_ai.input.messages"]
    assert 10 < len(kept) < 60
    assert kept[-1]["parts"][0]["content"].startswith("59 ")
    assert len(json.dumps(kept)) < LONGEST * 1.1


@pytest.mark.parametrize("body", [b"", b"no json", b'{"messages": 7}', b'{"messages": [[[{"role": 3}]]]}'])
def test_bodies_of_any_kind_are_no_failure(body: bytes) -> None:
    for api in (*OPERATIONS, "acme.talk"):
        content_of(make_call(api=api, body=Body(request=body, response=body)), said_in)


def test_parts_without_a_place_in_the_conventions_have_types_of_their_own() -> None:
    """One of a wire format has its own name, and parts that are too many to be shown are the rest."""
    parts = (
        Part(kind="data", name="search_result", text="{}"),
        Part(kind="data", text="?"),
        Part(kind="rest", name="12 more", text="and 12 more"),
    )
    said = Said(asked=[Message("user", parts)])
    call = make_call(body=Body(request=b"{}", response=b""))
    [message] = json.loads(content_of(call, lambda _: said)["gen_ai.input.messages"])
    assert [(part["type"], part["content"]) for part in message["parts"]] == [
        ("search_result", "{}"),
        ("data", "?"),
        ("rest", "and 12 more"),
    ]


def test_a_tool_is_named_as_the_conventions_name_it() -> None:
    tool = Span(
        id="1" * 16,
        trace_id="2" * 32,
        name="refund",
        timestamp=0,
        duration_ms=1,
        status="error",
        error_type="ValueError",
        kind="execute_tool",
        input='{"order": 7}',
        output="1",
        error_stack="Traceback",
    )
    said = attributes_of_span(tool)
    assert name_of_span(tool) == "execute_tool refund"
    assert said["gen_ai.operation.name"] == "execute_tool"
    assert said["gen_ai.tool.name"] == "refund"
    assert (said["gen_ai.tool.call.arguments"], said["gen_ai.tool.call.result"]) == ('{"order": 7}', "1")
    plain = replace(tool, kind=None, input='"x"', output=None, error_stack=None)
    said = attributes_of_span(plain)
    assert name_of_span(plain) == "refund"
    assert said["miharu.input"] == '"x"'
    assert not {"gen_ai.operation.name", "gen_ai.tool.name", "miharu.output"} & said.keys()
