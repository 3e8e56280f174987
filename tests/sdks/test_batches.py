"""Batches through the real SDKs, from creation to results: a row for each request, once."""

import io
import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import miharu
from miharu.testing import FakeProvider, count_tokens
from miharu.testing.tokens import PER_MESSAGE, PER_PROMPT

QUESTION = "Does it rain in Hue?"
PROMPT_TOKENS = PER_PROMPT + PER_MESSAGE + count_tokens(QUESTION)
ASKED: Any = {"messages": [{"role": "user", "content": QUESTION}]}
COLUMNS = "api, status, error_type, service_tier, prompt_tokens, cost_nanousd, duration_bucket, tags"


@pytest.fixture
def fake() -> Iterator[FakeProvider]:
    with FakeProvider() as running:
        yield running


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Path]:
    miharu.init(tmp_path / "calls.db")
    yield tmp_path / "calls.db"
    miharu.shutdown()


def rows(database: Path) -> list[dict[str, Any]]:
    assert miharu.flush(30)
    with closing(sqlite3.connect(database)) as connection:
        connection.row_factory = sqlite3.Row
        found = connection.execute(f"SELECT id, {COLUMNS} FROM llm_calls").fetchall()
    made = [dict(row) | {"tags": json.loads(row["tags"] or "{}")} for row in found]
    return sorted(made, key=lambda row: str(row["tags"].get("custom_id")))


def _openais(client: Any, kind: str = "chat/completions") -> Any:
    models = ("gpt-4o-mini", "gpt-4o", "error-429")
    lines = [
        {"custom_id": f"c{number}", "method": "POST", "url": f"/v1/{kind}", "body": {**ASKED, "model": model}}
        for number, model in enumerate(models)
    ]
    data = "\n".join(map(json.dumps, lines)).encode()
    file = client.files.create(file=("batch.jsonl", io.BytesIO(data)), purpose="batch")
    made = client.batches.create(input_file_id=file.id, endpoint=f"/v1/{kind}", completion_window="24h")
    assert made.status == "validating"
    batch = client.batches.retrieve(made.id)
    assert (batch.status, batch.request_counts.failed) == ("completed", 1)
    return batch


def test_openais_are_rows_once_they_are_fetched(fake: FakeProvider, database: Path) -> None:
    openai = pytest.importorskip("openai")
    with openai.OpenAI(base_url=fake.base_url, api_key="any") as client:
        batch = _openais(client)
        client.files.content(batch.input_file_id).read()
        assert rows(database) == []
        for _ in range(2):
            results = client.files.content(batch.output_file_id).text
            assert len(results.splitlines()) == 2
            client.files.content(batch.error_file_id).read()
    found = rows(database)
    assert [row["tags"] for row in found] == [
        {"batch": batch.id, "custom_id": f"c{number}"} for number in range(3)
    ]
    assert [row["status"] for row in found] == ["success", "success", "error"]
    assert [row["api"] for row in found] == ["openai.chat", "openai.chat", "openai.batches"]
    assert [row["prompt_tokens"] for row in found] == [PROMPT_TOKENS, PROMPT_TOKENS, None]
    assert {row["service_tier"] for row in found} == {"batch"}
    assert {row["duration_bucket"] for row in found} == {None}
    answer = json.loads(results.splitlines()[0])["response"]["body"]["usage"]
    # by a proxy's host, at the price of the dated model: half of 0.15 and 0.60 dollars a million
    assert found[0]["cost_nanousd"] == answer["prompt_tokens"] * 75 + answer["completion_tokens"] * 300
    assert found[2]["cost_nanousd"] is None
    assert found[2]["error_type"] == "requests"
    assert miharu.stats()["unpriced"] == 0


def test_another_process_that_fetches_them_adds_none(fake: FakeProvider, database: Path) -> None:
    openai = pytest.importorskip("openai")
    with openai.OpenAI(base_url=fake.base_url, api_key="any") as client:
        batch = _openais(client)
        client.files.content(batch.output_file_id).read()
    before = rows(database)
    assert len(before) == 2
    script = f"""
import miharu, openai
miharu.init({str(database)!r})
with openai.OpenAI(base_url={fake.base_url!r}, api_key="any") as client:
    client.files.content({batch.output_file_id!r}).read()
assert miharu.flush(30)
assert miharu.stats()["captured"] == 2
"""
    subprocess.run([sys.executable, "-c", script], check=True)
    assert [row["id"] for row in rows(database)] == [row["id"] for row in before]


@pytest.mark.parametrize("aiohttp", [False, True])
def test_anthropics_are_rows_once_they_are_fetched(fake: FakeProvider, database: Path, aiohttp: bool) -> None:
    import asyncio

    anthropic = pytest.importorskip("anthropic")
    requests = [
        {"custom_id": f"c{number}", "params": {**ASKED, "max_tokens": 100, "model": model}}
        for number, model in enumerate(("claude-haiku-4-5", "claude-opus-4-5", "error-400"))
    ]

    async def fetch() -> list[str]:
        options = {"http_client": anthropic.DefaultAioHttpClient()} if aiohttp else {}
        async with anthropic.AsyncAnthropic(base_url=fake.url, api_key="any", **options) as client:
            made = await client.messages.batches.create(requests=requests)
            assert made.processing_status == "in_progress"
            for _ in range(2):
                results = await client.messages.batches.results(made.id)
                kinds = [result.result.type async for result in results]
        return [made.id, *kinds]

    id_, *kinds = asyncio.run(fetch())
    assert kinds == ["succeeded", "succeeded", "errored"]
    found = rows(database)
    assert [row["tags"] for row in found] == [{"batch": id_, "custom_id": f"c{n}"} for n in range(3)]
    assert [row["status"] for row in found] == ["success", "success", "error"]
    assert [row["cost_nanousd"] is not None for row in found] == [True, True, True]
    assert found[2]["cost_nanousd"] == 0
    assert {(row["api"], row["service_tier"]) for row in found} == {("anthropic.messages", "batch")}


def test_geminis_are_rows_once_the_batch_has_them(fake: FakeProvider, database: Path) -> None:
    genai = pytest.importorskip("google.genai")
    client = genai.Client(api_key="any", http_options={"base_url": fake.url})
    contents = [{"role": "user", "parts": [{"text": QUESTION}]}]
    made = client.batches.create(
        model="gemini-2.5-flash",
        src=[{"contents": contents, "metadata": {"key": f"c{n}"}} for n in range(3)],
    )
    assert rows(database) == []
    for _ in range(2):
        batch = client.batches.get(name=made.name)
        assert batch.state.name in {"JOB_STATE_SUCCEEDED", "BATCH_STATE_SUCCEEDED"}
        assert len(batch.dest.inlined_responses) == 3
    client.close()
    found = rows(database)
    assert len(found) == 3
    assert {(row["api"], row["service_tier"]) for row in found} == {("gemini.generate", "batch")}
    assert {row["prompt_tokens"] for row in found} == {PROMPT_TOKENS}
    assert all(row["cost_nanousd"] for row in found)
    assert {row["tags"]["batch"] for row in found} == {str(made.name).removeprefix("batches/")}
