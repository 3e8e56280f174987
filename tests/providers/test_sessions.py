"""The calls of WebSocket sessions in ``sessions/``, each with what a reader and a price have to find in it.

The shapes are those of the types of openai 3.54 and google-genai 3.4. Those of xAI and Gemini are as
pydantic-ai has recorded them (https://github.com/pydantic/pydantic-ai, tests/realtime/cassettes). A message
that is a text is the start of one that was cut.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import miharu
from miharu.attribution import context
from miharu.call import Call
from miharu.providers.bodies.said import said_in
from miharu.recorder.costing.costs import priced
from miharu.recorder.reading.reader import Reader
from miharu.recorder.spool.unread import pack_unread, unpack_unread
from miharu.stores.columns import CALLS, to_row
from tests.nested import nested
from tests.pricing.paid import FORMATS, PRICES
from tests.world import HandMade, exchange

CASES = sorted(Path(__file__).with_name("sessions").glob("*.json"))


def made(case: dict[str, Any], **facts: Any) -> HandMade:
    messages = [one if isinstance(one, str) else json.dumps(one) for one in case["messages"]]
    return exchange(
        case["url"],
        **{
            "asked": case.get("asked"),
            "method": "WEBSOCKET",
            "status": case.get("http", 101),
            "chunks": [f"{one}\n".encode() for one in messages],
            "end": case.get("end", "eof"),
            "error": case.get("error"),
            **facts,
        },
    )


def case_of(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((Path(__file__).with_name("sessions") / f"{name}.json").read_text())
    return found


def row_of(call: Call) -> dict[str, Any]:
    return dict(zip(CALLS, to_row(priced(call, PRICES)), strict=True))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_it_reads(path: Path) -> None:
    case = json.loads(path.read_text())
    call = Reader(FORMATS).read(made(case))
    assert call is not None
    row = row_of(call)
    assert {name: row[name] for name in case["expected"]} == case["expected"]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_it_reads_the_same_out_of_a_spool(path: Path) -> None:
    case = json.loads(path.read_text())
    record, known = pack_unread([made(case)])
    (unread,) = unpack_unread(record)
    unread.know(known[0])
    call = Reader(FORMATS).read(unread)
    assert call is not None
    row = row_of(call)
    assert {name: row[name] for name in case["expected"]} == case["expected"]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
@settings(max_examples=30)
@given(data=st.data())
def test_whatever_is_left_of_it_never_raises(path: Path, data: st.DataObject) -> None:
    case = json.loads(path.read_text())
    body = bytearray(b"".join(made(case).chunks))
    for _ in range(data.draw(st.integers(0, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(body)))
    end = data.draw(st.sampled_from(["eof", "closed", "error"]))
    Reader(FORMATS).read(made(case, chunks=[bytes(body[:cut]), bytes(body[cut:])], end=end))


NESTED = nested(
    ["type", "response", "usage", "session", "error", "status_details", "audio", "serverContent", "setup"]
)


@given(NESTED, NESTED)
def test_json_of_any_shape_never_raises(one: object, other: object) -> None:
    for name in ("openai", "openai_transcript", "xai", "responses", "gemini"):
        case = case_of(name)
        Reader(FORMATS).read(made({**case, "asked": other, "messages": [one, other, *case["messages"][:1]]}))


def test_it_reads_what_there_was_little_memory_for() -> None:
    case = case_of("openai")
    whole = made(case)
    first, *rest = whole.chunks
    whole.chunks.clear()
    whole.arrivals.clear()
    for chunk in (first, b"x" * 20_000 + b'"}}\n', *rest):
        whole.overflow(chunk)
    call = Reader(FORMATS).read(whole)
    assert call is not None
    assert (call.outcome.status, call.usage.prompt_tokens, call.model) == ("success", 132, "gpt-realtime")


def test_the_program_s_own_session_comes_first() -> None:
    with miharu.context(session="mine"):
        of_the_program = made(case_of("openai"))
        of_the_program.context, of_the_program.stated, of_the_program.traced = context.now()
    call = Reader(FORMATS).read(of_the_program)
    assert call is not None
    assert call.session_id == "mine"
    assert call.tags == {"gen_ai.conversation.id": "sess_1"}


def test_the_same_message_again_is_no_duplicate() -> None:
    reader = Reader(FORMATS)
    calls = [reader.read(made(case_of("openai"))) for _ in range(2)]
    assert [call and (call.attempt, call.duplicate_of) for call in calls] == [(1, None), (1, None)]


@pytest.mark.parametrize("name", ["openai", "openai_transcript", "gemini", "gemini_tools", "responses"])
def test_people_can_read_it(name: str) -> None:
    call = Reader(FORMATS, capture_content=True).read(made(case_of(name)))
    assert call is not None
    said = said_in(call)
    assert said is not None
    texts = [part.text for message in (*said.asked, *said.answered) for part in message.parts]
    assert any("rain" in text for text in texts) or name == "gemini_tools"


@pytest.mark.parametrize(
    "facts",
    [
        {"url": "ws://mine/v1/realtime", "messages": [{"type": "response.done", "response": {"id": "x"}}]},
        {"url": "ws://mine/v1/realtime", "messages": [], "http": 403},
        {"url": "ws://mine/v1/responses", "messages": [{"type": "error"}]},
        {"url": "wss://api.openai.com/v1/chat", "messages": []},
        # xAI's transcripts are a part of its voice
        {
            "url": "wss://api.x.ai/v1/realtime",
            "messages": [{"type": "conversation.item.input_audio_transcription.completed"}],
        },
        # an error about another message than the one that asked for a response
        {
            "url": "wss://api.openai.com/v1/realtime",
            "asked": {"type": "response.create"},
            "messages": [{"type": "error", "error": {"type": "e", "param": "session.audio"}}],
        },
        {
            "url": "wss://api.openai.com/v1/realtime",
            "asked": {"type": "response.create", "event_id": "mine"},
            "messages": [{"type": "error", "error": {"type": "e", "event_id": "other"}}],
        },
    ],
)
def test_what_only_looks_like_a_call_is_none(facts: dict[str, Any]) -> None:
    assert Reader(FORMATS).read(made(facts)) is None
