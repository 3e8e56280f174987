"""Messages out of every wire format: whole, streamed, with tools, with pictures, cut off, hostile."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miharu.call import Body, Call, Outcome
from miharu.dashboard.call.conversation import Conversation, Message, conversation
from miharu.recorder.reading.reader import Reader
from tests.providers.eventstream import chunk, event
from tests.providers.test_exchanges import CASES, FORMATS, chunks_of, facts_of
from tests.world import exchange, sse

WITHOUT_CONTENT = {
    "cohere_chat_at_a_gateway",
    "dialect_openrouter_responses_cost",
    "responses_background_end",
    "responses_plain",
    "responses_stream_incomplete",
}
PICTURE = "data:image/png;base64," + "iVBORw0KGgo" * 400
VECTOR = "1 of 2 dimensions"
LOOK = {"name": "look", "arguments": "{}"}
Said = Sequence[tuple[str, list[tuple[str, str]]]]


def held(api: str, request: Any, response: Any, **facts: Any) -> Call:
    def encoded(value: Any) -> bytes | None:
        return value if isinstance(value, bytes | None) else json.dumps(value).encode()

    return Call(
        id="x",
        timestamp=0,
        api=api,
        outcome=Outcome(status="success", http_status=200),
        body=Body(request=encoded(request), response=encoded(response)),
        **facts,
    )


def words(messages: Sequence[Message]) -> Said:
    return [(one.role, [(part.kind, part.name or part.text) for part in one.parts]) for one in messages]


def read(api: str, request: Any, response: Any) -> Conversation:
    found = conversation(held(api, request, response))
    assert found is not None
    return found


def test_openai_chat_with_tools_and_a_picture() -> None:
    request = {
        "messages": [
            {"role": "developer", "content": "Be brief."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is this?"},
                    {"type": "image_url", "image_url": {"url": PICTURE}},
                    {"type": "input_audio", "input_audio": {"data": "[audio/wav, 9 bytes]", "format": "wav"}},
                    {"type": "odd", "odd": 1},
                ],
            },
            {"role": "assistant", "tool_calls": [{"id": "c1", "function": LOOK}]},
            {"role": "tool", "tool_call_id": "c1", "content": '{"seen": true}'},
        ],
        "tools": [{"type": "function", "function": {"name": "look"}}, {"type": "web_search"}],
        "temperature": 0.2,
        "response_format": {"type": "json_object"},
    }
    response = {"choices": [{"message": {"role": "assistant", "content": "A cat.", "refusal": None}}]}
    found = read("openai.chat", request, response)
    assert words(found.asked) == [
        ("developer", [("text", "Be brief.")]),
        ("user", [("text", "What is this?"), ("media", "image"), ("media", "audio"), ("data", "odd")]),
        ("assistant", [("call", "look")]),
        ("tool", [("result", "look")]),
    ]
    assert found.asked[1].parts[1].text == "[image/png, 3300 bytes]"
    assert found.asked[3].parts[0].text == '{\n  "seen": true\n}'
    assert words(found.answered) == [("assistant", [("text", "A cat.")])]
    assert list(found.tools) == ["look", "web_search"]
    assert dict(found.settings) == {"temperature": "0.2", "response_format": '{"type": "json_object"}'}


def test_openai_chat_streamed() -> None:
    def delta(**held: Any) -> dict[str, Any]:
        return {"choices": [{"index": 0, "delta": held}]}

    def piece(text: str, **more: Any) -> dict[str, Any]:
        return delta(tool_calls=[{"index": 0, **more, "function": {"arguments": text}}])

    events = sse(
        delta(role="assistant", content=""),
        delta(reasoning_content="Hm"),
        delta(reasoning_content="m."),
        delta(content="Let "),
        delta(content="me see."),
        delta(tool_calls=[{"index": 0, "id": "c1", "function": {"name": "look", "arguments": ""}}]),
        piece('{"at":'),
        piece(" 7}"),
        {"choices": [], "usage": {}},
    )
    found = read("openai.chat", {"messages": []}, b"".join(events))
    [message] = found.answered
    assert [(part.kind, part.text) for part in message.parts] == [
        ("thinking", "Hmm."),
        ("text", "Let me see."),
        ("call", '{\n  "at": 7\n}'),
    ]
    assert message.parts[2].id == "c1"


def test_openai_responses() -> None:
    request = {
        "instructions": "Be brief.",
        "input": [
            {"role": "user", "content": "Hi"},
            {"role": "user", "content": [{"type": "input_image", "image_url": "https://x.example/cat.png"}]},
            {"type": "function_call", "call_id": "c1", "name": "look", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "a cat"},
        ],
    }
    output = [
        {"type": "reasoning", "summary": [{"text": "I think."}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "A cat."}]},
        {"type": "web_search_call", "status": "completed"},
    ]
    found = read("openai.responses", request, {"output": output})
    assert words(found.asked) == [
        ("system", [("text", "Be brief.")]),
        ("user", [("text", "Hi")]),
        ("user", [("media", "image")]),
        ("assistant", [("call", "look")]),
        ("tool", [("result", "look")]),
    ]
    answer = [("thinking", "I think."), ("text", "A cat."), ("data", "web_search_call")]
    assert [part for _, parts in words(found.answered) for part in parts] == answer
    streamed = sse(*({"type": "response.output_item.done", "item": item} for item in output))
    assert read("openai.responses", request, b"".join(streamed)).answered == found.answered
    cut = sse({"type": "response.output_text.delta", "delta": "A "}, {"type": "x", "delta": 1})
    assert words(read("openai.responses", {"input": "Hi"}, b"".join(cut)).answered) == [
        ("assistant", [("text", "A ")])
    ]


def test_anthropic_whole_and_streamed() -> None:
    request = {
        "system": [{"type": "text", "text": "Be brief."}],
        "messages": [
            {"role": "user", "content": [{"type": "image", "source": {"media_type": "image/png"}}]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "look"}]},
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "t1", "content": [{"text": "a cat"}]}],
            },
        ],
        "tools": [{"name": "look"}],
    }
    blocks = [
        {"type": "thinking", "thinking": "Hm."},
        {"type": "text", "text": "A cat."},
        {"type": "tool_use", "id": "t2", "name": "look", "input": {"at": 8}},
    ]
    found = read("anthropic.messages", request, {"type": "message", "role": "assistant", "content": blocks})
    assert words(found.asked) == [
        ("system", [("text", "Be brief.")]),
        ("user", [("media", "image/png")]),
        ("assistant", [("call", "look")]),
        ("tool", [("result", "look")]),
    ]
    assert list(found.tools) == ["look"]
    stream = sse(
        {"type": "message_start", "message": {"content": []}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm."}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "A "}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "cat."}},
        {
            "type": "content_block_start",
            "index": 2,
            "content_block": {"type": "tool_use", "id": "t2", "name": "look", "input": {}},
        },
        {"type": "content_block_delta", "index": 2, "delta": {"partial_json": '{"at"'}},
        {"type": "content_block_delta", "index": 2, "delta": {"partial_json": ": 8}"}},
        done=False,
    )
    assert read("anthropic.messages", request, b"".join(stream)).answered == found.answered


def test_gemini_in_pieces_as_an_array_and_blocked() -> None:
    request = {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "Hi"}, {"inlineData": {"mimeType": "image/png"}}]},
            {"role": "model", "parts": [{"functionCall": {"name": "look", "args": {"at": 7}}}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "look", "response": {"seen": 1}}}]},
        ],
        "tools": [{"functionDeclarations": [{"name": "look"}]}, {"googleSearch": {}}],
    }

    def piece(text: str, **more: Any) -> dict[str, Any]:
        return {"candidates": [{"content": {"role": "model", "parts": [{"text": text, **more}]}}]}

    pieces = [piece("Hm.", thought=True), piece("A "), piece("cat.")]
    found = read("gemini.generate", request, pieces)
    assert words(found.asked) == [
        ("system", [("text", "Be brief.")]),
        ("user", [("text", "Hi"), ("media", "image/png")]),
        ("assistant", [("call", "look")]),
        ("tool", [("result", "look")]),
    ]
    assert words(found.answered) == [("assistant", [("thinking", "Hm."), ("text", "A cat.")])]
    assert list(found.tools) == ["look", "googleSearch"]
    assert read("gemini.generate", request, b"".join(sse(*pieces, done=False))).answered == found.answered
    blocked = read("gemini.generate", request, {"promptFeedback": {"blockReason": "SAFETY"}})
    assert words(blocked.answered) == [("assistant", [("refusal", "SAFETY")])]


def test_bedrock_whole_and_streamed() -> None:
    request = {
        "system": [{"text": "Be brief."}],
        "messages": [
            {"role": "user", "content": [{"text": "Hi"}, {"image": {"format": "png"}}]},
            {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t1", "name": "look", "input": {}}}]},
            {
                "role": "user",
                "content": [{"toolResult": {"toolUseId": "t1", "content": [{"text": "a cat"}]}}],
            },
        ],
        "toolConfig": {"tools": [{"toolSpec": {"name": "look"}}]},
    }
    content = [
        {"reasoningContent": {"reasoningText": {"text": "Hm."}}},
        {"text": "A cat."},
        {"toolUse": {"toolUseId": "t2", "name": "look", "input": {"at": 8}}},
    ]
    whole = {"output": {"message": {"role": "assistant", "content": content}}}
    found = read("bedrock.converse", request, whole)
    assert words(found.asked) == [
        ("system", [("text", "Be brief.")]),
        ("user", [("text", "Hi"), ("media", "png")]),
        ("assistant", [("call", "look")]),
        ("tool", [("result", "look")]),
    ]
    stream = b"".join(
        event(name, payload)
        for name, payload in (
            ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "Hm."}}}),
            ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"text": "A "}}),
            ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"text": "cat."}}),
            ("contentBlockStart", {"contentBlockIndex": 2, "start": {"toolUse": {"name": "look"}}}),
            ("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"toolUse": {"input": '{"at": 8}'}}}),
        )
    )
    assert read("bedrock.converse", request, stream).answered[0].parts[:2] == found.answered[0].parts[:2]
    assert read("bedrock.converse", request, stream).answered[0].parts[2].name == "look"
    llama = read("bedrock.invoke", {"prompt": "Hi"}, chunk({"generation": "A cat."}))
    assert words(llama.answered) == [("assistant", [("text", "A cat.")])]


def test_cohere_and_ollama() -> None:
    request = {"messages": [{"role": "user", "content": "Hi"}]}
    calls = [{"id": "c1", "function": {"name": "look", "arguments": '{"at": 7}'}}]
    content = [{"type": "text", "text": "A cat."}]
    whole = {"message": {"tool_plan": "Look.", "content": content, "tool_calls": calls}}
    found = read("cohere.chat", request, whole)
    [message] = found.answered
    assert [part.kind for part in message.parts] == ["thinking", "text", "call"]
    stream = sse(
        {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "Look."}}},
        {"type": "content-delta", "delta": {"message": {"content": {"text": "A cat."}}}},
        {"type": "tool-call-start", "index": 0, "delta": {"message": {"tool_calls": calls[0]}}},
    )
    assert read("cohere.chat", request, b"".join(stream)).answered == found.answered
    lines = b"\n".join(
        json.dumps({"message": {"role": "assistant", "content": text}}).encode() for text in ("A ", "cat.")
    )
    ollama = read("ollama.chat", {"messages": [{"role": "user", "content": "Hi", "images": ["x"]}]}, lines)
    assert words(ollama.asked) == [("user", [("text", "Hi"), ("media", "image")])]
    assert words(ollama.answered) == [("assistant", [("text", "A cat.")])]


@pytest.mark.parametrize(
    ("api", "request_", "response", "asked", "answered"),
    [
        ("openai.completions", {"prompt": "Hi"}, {"choices": [{"text": " there"}]}, "Hi", " there"),
        ("openai.embeddings", {"input": ["a"]}, {"data": [{"embedding": [1.0, 2.0]}]}, "a", VECTOR),
        ("ollama.generate", {"prompt": "Hi"}, {"response": "there"}, "Hi", "there"),
        ("huggingface.tgi", {"inputs": "Hi"}, [{"generated_text": "there"}], "Hi", "there"),
        ("replicate.predictions", {"input": {"prompt": "Hi"}}, {"output": ["th", "ere"]}, "Hi", "there"),
        (
            "gemini.embed",
            {"content": {"parts": [{"text": "a"}]}},
            {"embedding": {"values": [1, 2]}},
            "a",
            VECTOR,
        ),
        ("bedrock.invoke", {"inputText": "Hi"}, {"results": [{"outputText": "there"}]}, "Hi", "there"),
        ("watsonx.generate", {"input": "Hi"}, {"results": [{"generated_text": "there"}]}, "Hi", "there"),
        ("openai.speech", {"input": "Hi", "voice": "a"}, b"[audio/mpeg, 9 bytes]", "Hi", None),
        ("openai.images", {"prompt": "a"}, {"data": [{"b64_json": "x" * 9000}]}, "a", "[binary, 6750 bytes]"),
    ],
)
def test_what_is_no_conversation(
    api: str, request_: Any, response: Any, asked: str, answered: str | None
) -> None:
    found = read(api, request_, response)
    assert found.asked[0].parts[0].text == asked
    said = found.answered[0].parts[0].text if found.answered else None
    assert said == answered


def test_nothing_kept_is_nothing_said() -> None:
    unkept = Call(id="x", timestamp=0, api="openai.chat", outcome=Outcome(status="success"))
    assert conversation(unkept) is None
    assert conversation(held("openai.chat", None, None)) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                (
                    *(
                        "messages",
                        "role",
                        "content",
                        "type",
                        "text",
                        "tool_calls",
                        "function",
                        "name",
                        "input",
                    ),
                    *("choices", "delta", "message", "index", "output", "parts", "contents", "candidates"),
                    *(
                        "content_block",
                        "toolUse",
                        "system",
                        "arguments",
                        "data",
                        "embedding",
                        "tools",
                        "item",
                    ),
                )
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=25,
)
APIS = (
    *("openai.chat", "openai.responses", "anthropic.messages", "gemini.generate", "bedrock.converse"),
    *("cohere.chat", "ollama.chat", "openai.embeddings", "bedrock.invoke", "rerank"),
)


@given(st.sampled_from(APIS), json_values, json_values | st.binary(max_size=60))
def test_anything_at_all_ends_in_messages_or_in_none(api: str, request: Any, response: Any) -> None:
    found = conversation(held(api, request, response))
    for one in (*found.asked, *found.answered) if found else ():
        assert one.parts
        assert all(isinstance(text, str) for part in one.parts for text in (part.text, part.name, part.id))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_lays_out_the_examples_of_every_wire_format(path: Path) -> None:
    """Whatever a reader understands as a success has an answer that can be read."""
    case = json.loads(path.read_text())
    reader = Reader(FORMATS, capture_content=True)
    call = reader.read(exchange(**facts_of(case), chunks=chunks_of(case)))
    assert call is not None
    found = conversation(call)
    if call.outcome.status == "success" and call.usage.completion_tokens and path.stem not in WITHOUT_CONTENT:
        assert found is not None
        assert found.answered


def test_openai_chat_of_every_age() -> None:
    """Refusals, sound, pictures in answers, functions as they were, thoughts of Mistral."""
    answer = {
        "content": [
            {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
            {"type": "refusal", "refusal": "No."},
        ],
        "refusal": "Never.",
        "function_call": LOOK,
        "tool_calls": [{"id": "c1", "type": "custom", "name": "grep", "arguments": "x"}],
        "audio": {"transcript": "Hello.", "data": "[audio/wav, 9 bytes]"},
        "images": [{"type": "image_url", "image_url": {"url": PICTURE}}],
    }
    found = read("openai.chat", {"messages": []}, {"choices": [{"message": answer}]})
    assert [(part.kind, part.name or part.text) for part in found.answered[0].parts] == [
        ("thinking", "Hm."),
        ("refusal", "No."),
        ("refusal", "Never."),
        ("call", "grep"),
        ("call", "look"),
        ("text", "Hello."),
        ("media", "audio"),
        ("media", "image"),
    ]


def test_openai_chat_streamed_in_parts() -> None:
    def delta(content: Any) -> dict[str, Any]:
        return {"choices": [{"index": 0, "delta": {"content": content}}]}

    events = sse(
        delta([{"type": "thinking", "thinking": [{"text": "Hm"}]}]),
        delta([{"type": "text", "text": "Hel"}]),
        delta([{"type": "text", "text": "lo"}]),
    )
    found = read("openai.chat", {"messages": []}, b"".join(events))
    assert words(found.answered) == [("assistant", [("thinking", "Hm"), ("text", "Hello")])]


def test_ollama_with_tools_and_a_picture() -> None:
    request = {
        "messages": [
            {"role": "user", "content": "What is this?", "images": ["[image/png, 7 bytes]"]},
            {"role": "assistant", "content": "", "tool_calls": [{"function": LOOK}]},
            {"role": "tool", "tool_name": "look", "content": "a cat"},
        ]
    }
    answers = [
        {"message": {"role": "assistant", "content": "", "thinking": "Hm."}, "done": False},
        {"message": {"role": "assistant", "content": "A "}, "done": False},
        {"message": {"role": "assistant", "content": "cat."}, "done": True},
    ]
    found = read("ollama.chat", request, "\n".join(json.dumps(one) for one in answers).encode())
    assert words(found.asked) == [
        ("user", [("text", "What is this?"), ("media", "image")]),
        ("assistant", [("call", "look")]),
        ("tool", [("result", "look")]),
    ]
    assert words(found.answered) == [("assistant", [("thinking", "Hm."), ("text", "A cat.")])]


def test_anthropic_keeps_what_it_cannot_show() -> None:
    content = [
        {"type": "redacted_thinking", "data": "xyz"},
        {
            "type": "document",
            "source": {"media_type": "application/pdf", "data": "[application/pdf, 9 bytes]"},
        },
        {"type": "novelty", "what": 1},
    ]
    found = read("anthropic.messages", {"messages": []}, {"type": "message", "content": content})
    assert words(found.answered) == [
        (
            "assistant",
            [
                ("thinking", "The provider keeps these thoughts to itself."),
                ("media", "application/pdf"),
                ("data", "novelty"),
            ],
        )
    ]


def test_gemini_as_strings_and_blocked() -> None:
    found = read(
        "gemini.generate",
        {
            "systemInstruction": "Be brief.",
            "contents": "Hi",
            "tools": [{"googleSearch": {}}, {"functionDeclarations": [{"name": "look"}]}],
        },
        {"promptFeedback": {"blockReason": "SAFETY"}},
    )
    assert words(found.asked) == [("system", [("text", "Be brief.")]), ("user", [("text", "Hi")])]
    assert words(found.answered) == [("assistant", [("refusal", "SAFETY")])]
    assert list(found.tools) == ["googleSearch", "look"]
