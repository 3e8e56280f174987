"""``miharu export``: what was said, as files for fine-tuning and evaluations, from every provider's words."""

import json
from pathlib import Path
from typing import Any

import pytest

from miharu.batch import Score
from miharu.call import Body, Call, Outcome, Usage
from miharu.testing.store_contract import NOON, make_call

from .conftest import Run, stored

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
DEFINED = {"name": "weather", "description": "Tells it.", "parameters": SCHEMA}
USED = {"city": "Huế"}


def call(api: str, asked: Any, *answered: Any, **facts: Any) -> Call:
    """A call in that format; of several answers a stream of events."""
    stream = len(answered) > 1
    texts = [json.dumps(one, ensure_ascii=False) for one in answered]
    said = "".join(f"data: {text}\n\n" for text in texts) if stream else texts[0]
    body = Body(request=json.dumps(asked, ensure_ascii=False).encode(), response=said.encode())
    given: dict[str, Any] = {"outcome": Outcome(status="success", http_status=200), "timestamp": NOON}
    return make_call(api=api, body=body, stream=stream, **(given | facts))


OPENAI = call(
    "openai.chat",
    {
        "model": "gpt-4o",
        "messages": [
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": "Rain?"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "c1",
                        "type": "function",
                        "function": {"name": "weather", "arguments": json.dumps(USED)},
                    }
                ],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "wet"},
        ],
        "tools": [{"type": "function", "function": DEFINED}],
    },
    {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Yes."}, "finish_reason": "stop"}]},
)
RESPONSES = call(
    "openai.responses",
    {
        "model": "gpt-5",
        "instructions": "Be brief.",
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "Rain?"}]},
            {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": json.dumps(USED)},
            {"type": "function_call_output", "call_id": "c1", "output": "wet"},
        ],
        "tools": [{"type": "function", **DEFINED}],
    },
    {
        "object": "response",
        "output": [
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Yes."}]},
        ],
    },
)
ANTHROPIC = call(
    "anthropic.messages",
    {
        "model": "claude-haiku-4-5",
        "system": "Be brief.",
        "messages": [
            {"role": "user", "content": "Rain?"},
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "c1", "name": "weather", "input": USED}],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "wet"}]},
        ],
        "tools": [{"name": "weather", "description": "Tells it.", "input_schema": SCHEMA}],
    },
    {"type": "message_start", "message": {"role": "assistant", "content": []}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Ye"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "s."}},
    {"type": "message_stop"},
)
GEMINI = call(
    "gemini.generate",
    {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "Rain?"}]},
            {"role": "model", "parts": [{"functionCall": {"name": "weather", "args": USED}}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "weather", "response": "wet"}}]},
        ],
        "tools": [{"functionDeclarations": [DEFINED]}],
    },
    {"candidates": [{"content": {"role": "model", "parts": [{"text": "Yes."}]}}]},
)
CONVERSE = call(
    "bedrock.converse",
    {
        "system": [{"text": "Be brief."}],
        "messages": [
            {"role": "user", "content": [{"text": "Rain?"}]},
            {
                "role": "assistant",
                "content": [{"toolUse": {"toolUseId": "c1", "name": "weather", "input": USED}}],
            },
            {"role": "user", "content": [{"toolResult": {"toolUseId": "c1", "content": [{"text": "wet"}]}}]},
        ],
        "toolConfig": {
            "tools": [
                {"toolSpec": {"name": "weather", "description": "Tells it.", "inputSchema": {"json": SCHEMA}}}
            ]
        },
    },
    {"output": {"message": {"role": "assistant", "content": [{"text": "Yes."}]}}, "stopReason": "end_turn"},
)
EACH = {
    "openai": OPENAI,
    "responses": RESPONSES,
    "anthropic": ANTHROPIC,
    "gemini": GEMINI,
    "converse": CONVERSE,
}
each = pytest.mark.parametrize("told", EACH.values(), ids=list(EACH))


def lines(run: Run, file: Path, *options: str) -> list[Any]:
    done = run("export", "--database", str(file), *options)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@each
def test_it_is_the_same_in_openais_words_from_every_provider(told: Call, tmp_path: Path, run: Run) -> None:
    [row] = lines(run, stored(tmp_path / "calls.db", told), "--format", "openai-jsonl")
    call_id = row["messages"][2]["tool_calls"][0]["id"]
    assert call_id
    assert row == {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Rain?"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": call_id,
                        "type": "function",
                        "function": {"name": "weather", "arguments": json.dumps(USED, ensure_ascii=False)},
                    }
                ],
            },
            {"role": "tool", "tool_call_id": call_id, "content": "wet"},
            {"role": "assistant", "content": "Yes."},
        ],
        "tools": [{"type": "function", "function": DEFINED}],
    }


@each
def test_it_is_the_same_in_anthropics_words_from_every_provider(told: Call, tmp_path: Path, run: Run) -> None:
    [row] = lines(run, stored(tmp_path / "calls.db", told), "--format", "anthropic-jsonl")
    call_id = row["messages"][1]["content"][0]["id"]
    assert row == {
        "system": "Be brief.",
        "messages": [
            {"role": "user", "content": "Rain?"},
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": call_id, "name": "weather", "input": USED}],
            },
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": call_id, "content": "wet"}],
            },
            {"role": "assistant", "content": "Yes."},
        ],
        "tools": [{"name": "weather", "description": "Tells it.", "input_schema": SCHEMA}],
    }


def asking(text: str = "Rain?", **facts: Any) -> Call:
    asked = {"messages": [{"role": "user", "content": text}]}
    answered = {"choices": [{"message": {"role": "assistant", "content": "Yes."}}]}
    return call("openai.chat", asked, answered, **facts)


def test_a_long_text_and_long_arguments_are_whole(tmp_path: Path, run: Run) -> None:
    text, arguments = "a long story " * 20_000, json.dumps({"text": "tell " * 2000})
    calls = [{"id": "1", "type": "function", "function": {"name": "f", "arguments": arguments}}]
    told = call(
        "openai.chat",
        {"messages": [{"role": "user", "content": text}]},
        {"choices": [{"message": {"role": "assistant", "content": text, "tool_calls": calls}}]},
    )
    [row] = lines(run, stored(tmp_path / "calls.db", told), "--format", "openai-jsonl")
    assert [one["content"] for one in row["messages"]] == [text, text]
    assert row["messages"][1]["tool_calls"][0]["function"]["arguments"] == arguments


def test_what_is_left_out_is_counted_with_its_reason(tmp_path: Path, run: Run) -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    file = stored(
        tmp_path / "calls.db",
        asking(),
        make_call(timestamp=NOON + 1),
        make_call(timestamp=NOON + 2),
        asking(timestamp=NOON + 3, outcome=Outcome(status="error", http_status=500)),
        asking([picture], timestamp=NOON + 4),  # type: ignore[arg-type]
        call("openai.chat", {"messages": 7}, {"choices": "?"}, timestamp=NOON + 5),
    )
    out = tmp_path / "examples.jsonl"
    done = run("export", "--format", "openai-jsonl", "--database", str(file), "--out", str(out))
    assert done.returncode == 0
    assert len(out.read_text().splitlines()) == 1
    said = sorted(done.stderr.splitlines())
    assert said == [
        "miharu: 1 call is left out, with pictures, sounds or other parts that are no text.",
        "miharu: 2 calls are left out, without an answer.",
        "miharu: 2 calls are left out, without content: it is kept with capture_content=True.",
    ]
    assert done.stdout == f"1 calls are in {out}.\n"


def test_a_dataset_has_input_output_and_what_is_known(tmp_path: Path, run: Run) -> None:
    embed = call("openai.embeddings", {"input": "x"}, {"data": [{"embedding": [0.5]}]}, timestamp=NOON + 1)
    usage = Usage(prompt_tokens=7, completion_tokens=2, usage_source="provider")
    told = asking(model="gpt-4o", tags={"team": "search"}, usage=usage, user_id="u", trace_id="t" * 32)
    scores = [
        Score(id="1", timestamp=NOON, name="helpful", value=0.2, call_id=told.id),
        Score(id="2", timestamp=NOON + 9, name="helpful", value=0.9, call_id=told.id),
        Score(id="3", timestamp=NOON, name="of trace", value=1, trace_id="t" * 32),
        Score(id="4", timestamp=NOON + 9, name="of another", value=1, call_id="other", trace_id="t" * 32),
    ]
    file = stored(tmp_path / "calls.db", told, embed, scores=scores)
    rows = lines(run, file, "--format", "dataset")
    assert rows[0]["input"] == {"input": "x"}
    assert rows[0]["output"] == {"data": [{"embedding": [0.5]}]}
    facts = (
        "input",
        "output",
        "model",
        "cost_usd",
        "prompt_tokens",
        "completion_tokens",
        "scores",
        "tags",
        "user_id",
    )
    assert {name: rows[1][name] for name in facts} == {
        "input": [{"role": "user", "content": "Rain?"}],
        "output": {"role": "assistant", "content": "Yes."},
        "model": "gpt-4o",
        "cost_usd": 1e-6,
        "prompt_tokens": 7,
        "completion_tokens": 2,
        "scores": {"helpful": 0.9, "of trace": 1},
        "tags": {"team": "search"},
        "user_id": "u",
    }


@pytest.mark.parametrize(
    ("condition", "users"),
    [
        ("score:helpful>=0.8", ["good"]),
        ("score:helpful<0.8", ["bad"]),
        ("score:helpful<=1", ["good", "bad"]),
        ("score:other>0", []),
    ],
)
@pytest.mark.parametrize("name", ["jsonl", "dataset"])
def test_calls_are_chosen_by_their_scores(
    condition: str, users: list[str], name: str, tmp_path: Path, run: Run
) -> None:
    bad, good = asking(user_id="bad"), asking(user_id="good", timestamp=NOON + 1)
    scores = [
        Score(id="1", timestamp=NOON, name="helpful", value=0.1, call_id=bad.id),
        Score(id="2", timestamp=NOON, name="helpful", value=0.9, call_id=good.id),
    ]
    file = stored(tmp_path / "calls.db", bad, good, asking(timestamp=NOON + 2, user_id="none"), scores=scores)
    assert [row["user_id"] for row in lines(run, file, "--format", name, "--where", condition)] == users


@pytest.mark.parametrize("form", ["openai-jsonl", "anthropic-jsonl", "dataset", "jsonl", "csv"])
@pytest.mark.parametrize(
    ("arguments", "lines"), [("{}", 2), ('{"a":' * 100_000, 1), ("[" * 900 + "]" * 900, 2)]
)
def test_what_was_written_to_break_a_file_breaks_none(
    form: str, arguments: str, lines: int, tmp_path: Path, run: Run
) -> None:
    tool = {"id": "c1", "type": "function", "function": {"name": "f\ud83d", "arguments": arguments}}
    message = {"role": "assistant", "content": "half \ud83d and \0", "tool_calls": [tool]}
    answer = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    request = {"model": "m", "messages": [{"role": "user", "content": "\udc00"}], "metadata": {"x": "\ud83d"}}
    body = Body(request=json.dumps(request).encode(), response=json.dumps(answer).encode())
    odd = make_call(api="openai.chat", body=body, timestamp=NOON, outcome=Outcome(status="success"))
    file, out = stored(tmp_path / "calls.db", odd, OPENAI), tmp_path / "out.jsonl"
    whole = ["--with-content"] if form in {"jsonl", "csv"} else []
    done = run("export", "--format", form, "--database", str(file), "--out", str(out), *whole)
    assert done.returncode == 0, done.stderr
    if form == "csv":
        return
    found = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert len(found) >= lines
