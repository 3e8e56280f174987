import json
from pathlib import Path
from typing import Any

import pytest

import miharu
from miharu.pricing.genai import GenaiPrices
from miharu.recorder.reading.reader import Reader
from miharu.testing import FakeProvider
from tests.calls import rows
from tests.recorder.answer import ANSWER
from tests.recorder.waste.test_prefixes import SYSTEM, body
from tests.recorder.world import FORMATS, Bench
from tests.world import HandMade, exchange

openai = pytest.importorskip("openai")


def asked(at: int, question: bytes, cached: int = 0, **facts: Any) -> HandMade:
    usage = {
        "prompt_tokens": 4020,
        "completion_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": cached},
    }
    made = exchange(asked=question, **({"body": ANSWER | {"usage": usage}} | facts))
    made.timestamp = 1_790_000_000_000 + at
    return made


def test_a_duplicate_is_no_cache_miss_too() -> None:
    """All of it was wasted, so a part of it is not counted again."""
    reader = Reader(FORMATS)
    first, again, other = (
        reader.read(asked(at, body(question))) for at, question in ((0, "?"), (200, "?"), (400, "!"))
    )
    assert first is not None
    assert again is not None
    assert other is not None
    assert (first.duplicate_of, first.cache_missed_tokens) == (None, None)
    assert (again.duplicate_of, again.cache_missed_tokens) == (first.id, None)
    assert other.duplicate_of is None
    assert other.cache_missed_tokens


def test_a_try_after_a_failure_is_no_duplicate() -> None:
    reader = Reader(FORMATS)
    failed = reader.read(asked(0, body(), status=500, body={"error": {"message": "no"}}))
    again = reader.read(asked(200, body()))
    later = reader.read(asked(400, body()))
    assert failed is not None
    assert again is not None
    assert later is not None
    assert (again.attempt, again.call_group, again.duplicate_of) == (2, failed.id, None)
    assert later.duplicate_of == again.id


def test_it_is_stored_with_what_it_cost(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.pipeline = bench.another(GenaiPrices)
    bench.open()
    for at, question in ((0, "?"), (200, "!"), (400, "!")):
        bench.queue.put(asked(at, body(question)))
    bench.pipeline.drain()
    bench.pipeline.close()
    plain, missed, again = rows(tmp_path / "calls.db")
    assert (plain["duplicate_of"], plain["cache_missed_tokens"], plain["cache_missed_nanousd"]) == (None,) * 3
    assert missed["cache_missed_nanousd"] == missed["cache_missed_tokens"] * 1250
    assert again["duplicate_of"] == missed["id"]


def test_a_provider_that_caches_raises_no_alarm(database: Path) -> None:
    """The real SDK against a provider with a prompt cache, streamed and not."""
    with FakeProvider() as provider, openai.OpenAI(base_url=provider.base_url, api_key="any") as client:
        miharu.init(database)
        for number in range(6):
            said = [
                {"role": "system", "content": SYSTEM},
                {"role": "user", "content": f"Question {number}?"},
            ]
            answer = client.chat.completions.create(
                model="gpt-4o",
                messages=said,
                **({"stream": True, "stream_options": {"include_usage": True}} if number % 2 else {}),
            )
            list(answer)
        miharu.shutdown()
    found = rows(database)
    assert sum(row["cached_tokens"] > 1024 for row in found) >= 4
    assert [row["cache_missed_tokens"] for row in found] == [None] * 6
    assert SYSTEM[:200] not in json.dumps(found)
