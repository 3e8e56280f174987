from pathlib import Path
from typing import Any

import pytest

import miharu
from tests.calls import ask, rows
from tests.docs.blocks import Block, of


def _answer(model: str) -> dict[str, Any]:
    return {
        "id": "c",
        "object": "chat.completion",
        "model": model,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1_000_000, "completion_tokens": 1_000_000},
    }


@of("docs/costs.md", "miharu.Price(per_request=0.001)")
def test_each_line_of_the_table_is_the_price_that_it_says(
    example: Block, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIHARU_DATABASE_URL", str(database))
    example.run()
    ask(answer=_answer("my-model"), url="https://somewhere.example/v1/chat/completions")
    ask(answer=_answer("qwen3-8b"), url="https://somewhere.example/v1/chat/completions")
    ask(answer=_answer("gpt-4o"), url="https://mine.openai.azure.com/openai/deployments/d/chat/completions")
    ask(answer=_answer("anything"), url="http://llm.internal:8000/v1/chat/completions")
    assert miharu.flush()
    usd = {row["model"]: (row["cost_nanousd"] / 1e9, row["cost_source"]) for row in rows(database)}
    assert usd == {
        "my-model": (2.5, "own"),
        "qwen3-8b": (0.0, "own"),
        "gpt-4o": (11.0, "own"),
        "anything": (0.001, "own"),
    }
