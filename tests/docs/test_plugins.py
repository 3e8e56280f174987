import sys
import tomllib
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

import miharu
from miharu import plugins
from miharu.providers.base import Reading, Rule, Wire
from miharu.stores.base import Query
from miharu.stores.sqlite import SQLiteStore
from miharu.testing.open_store import both
from tests.calls import ask, rows
from tests.docs.blocks import Block, of
from tests.docs.world import outcome_of_pytest

pytest_plugins = ["pytester"]
PAGE = "docs/plugins.md"


@of(PAGE, "class Printer")
def test_an_exporter_gets_calls_spans_and_scores(
    example: Block, database: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIHARU_DATABASE_URL", str(database))
    example.run()
    with miharu.context(route="queue job"), miharu.span("work"):
        ask()
        miharu.score(None, "helpful", value=True)
    assert miharu.flush()
    assert (miharu.stats()["written"], miharu.stats()["errors"]) == (1, 0)
    assert miharu.shutdown()
    said = {" ".join(line.split()[:-1]) for line in capsys.readouterr().out.splitlines()}
    assert said == {"queue job gpt-4o-2024-08-06 success", "work success", "helpful"}


@of(PAGE, "project.entry-points")
def test_an_entry_point_is_found_and_used(
    example: Block, database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    points: dict[str, dict[str, str]] = tomllib.loads(example.text)["project"]["entry-points"]
    folder = tmp_path / "site"
    about = folder / "my_package-1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1\n")
    lines = [
        f"[{group}]\n{name} = {value}\n" for group, of_it in points.items() for name, value in of_it.items()
    ]
    (about / "entry_points.txt").write_text("".join(lines))
    (folder / "my_package.py").write_text(
        "got = []\n\n\nclass Statsd:\n    async def export(self, batch):\n        got.extend(batch.calls)\n\n"
        "    async def close(self):\n        got.append('closed')\n"
    )
    monkeypatch.syspath_prepend(folder)
    for group in points:
        assert plugins.installed(group)
    miharu.init(database)
    ask()
    assert miharu.shutdown()
    got = sys.modules.pop("my_package").got
    assert [getattr(one, "model", one) for one in got] == ["gpt-4o-2024-08-06", "closed"]


@of(PAGE, "class InHouse")
def test_prices_of_ones_own_and_the_built_in_ones_for_the_rest(
    example: Block, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIHARU_DATABASE_URL", str(database))
    example.run()
    answer: dict[str, Any] = {"id": "c", "object": "chat.completion", "model": "in-house-7b"}
    answer |= {"usage": {"prompt_tokens": 10, "completion_tokens": 5}}
    answer |= {"choices": [{"index": 0, "message": {"content": "x"}, "finish_reason": "stop"}]}
    ask(answer=answer)
    ask()
    assert miharu.flush()
    costs = {row["model"]: (row["cost_nanousd"], row["cost_source"]) for row in rows(database)}
    assert costs["in-house-7b"] == (300, "in-house")
    assert costs["gpt-4o-2024-08-06"][0] == 75_000


@of(PAGE, "class Rerank")
def test_a_wire_format_reads_its_calls_and_no_others(
    example: Block, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIHARU_DATABASE_URL", str(database))
    example.run()
    answers = httpx2.MockTransport(lambda _: httpx2.Response(200, json={"tokens": 12, "results": []}))
    with httpx2.Client(transport=answers) as client:
        asked: dict[str, Any] = {"model": "acme-1", "documents": ["a", "b"]}
        client.post("https://acme.example/v1/rerank", json=asked)
        client.post("https://acme.example/v1/rerank", json={"query": "no documents"})
        client.post("https://acme.example/v1/other", json=asked)
    assert miharu.flush()
    mine = [row for row in rows(database) if row["api"] == "acme.rerank"]
    assert [(row["request_model"], row["prompt_tokens"], row["status"]) for row in mine] == [
        ("acme-1", 12, "success")
    ]


@of(PAGE, "class ReadableRerank")
def test_a_wire_format_says_how_its_calls_read(
    example: Block, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Rerank:
        api = "acme.rerank"
        rules = (Rule("/v1/rerank"),)

        def read(self, wire: Wire) -> Reading | None:
            return Reading(terminated=True)

    plugin = example.run(Rerank=Rerank).ReadableRerank()
    miharu.init(database, providers=[plugin], capture_content=True)
    found = {"results": ["the <second> one"]}
    answers = httpx2.MockTransport(lambda _: httpx2.Response(200, json=found))
    with httpx2.Client(transport=answers) as client:
        client.post("https://acme.example/v1/rerank", json={"documents": ["a first", "a second"]})
    assert miharu.flush()
    [row] = rows(database)
    with TestClient(miharu.asgi(auth="off")) as visitor:
        page = visitor.get("/calls", params={"sel": row["id"]}).text
    messages = page.partition("Messages")[2]
    assert "a first" in messages
    assert "the &lt;second&gt; one" in messages


@of(PAGE, "class PromptedRerank")
def test_a_wire_format_says_what_is_fixed(example: Block, database: Path) -> None:
    class Rerank:
        api = "acme.rerank"
        rules = (Rule("/v1/rerank"),)

        def read(self, wire: Wire) -> Reading | None:
            return Reading(terminated=True)

    miharu.init(database, providers=[example.run(Rerank=Rerank).PromptedRerank()], capture_content=True)
    answers = httpx2.MockTransport(lambda _: httpx2.Response(200, json={}))
    with httpx2.Client(transport=answers) as client:
        for told in ("The newest first.", None):
            client.post("https://acme.example/v1/rerank", json={"instruction": told, "documents": []})
    assert miharu.flush()
    prompts = sorted((row["prompt_name"] or "", bool(row["prompt_hash"])) for row in rows(database))
    assert prompts == [("", False), ("The newest first.", True)]


@of(PAGE, "class TestDuckStore")
def test_the_contract_runs_without_settings(
    example: Block, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store that is documented is ours under another name; what is tried is how the tests are run."""
    pytester.makepyfile(
        my_package=(
            "from miharu.stores.sqlite import SQLiteStore\n\n\n"
            "class DuckStore(SQLiteStore):\n"
            "    def __init__(self, url):\n"
            "        super().__init__(url.replace('duckdb://', 'sqlite+aiosqlite://'))\n"
        )
    )
    tests = sum(1 for name in dir(_contract()) if name.startswith("test_"))
    outcome_of_pytest(pytester, monkeypatch, example.text, "-W", "error", calls=tests)


def _contract() -> type:
    from miharu.testing.store_contract import StoreContract

    return StoreContract


@of(PAGE, "def describe")
async def test_a_stores_figures_are_plain_values(example: Block, database: Path) -> None:
    miharu.init(database)
    ask()
    assert miharu.shutdown()
    store = both(SQLiteStore(f"sqlite+aiosqlite:///{database}", read_only=True))
    await store.open()
    try:
        said = await example.run().overview(store, Query(start=0, end=2**62))
    finally:
        await store.close()
    assert said == "1 calls, 0 of them without a price"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@of(PAGE, "FakeProvider")
def test_a_test_with_the_fake_provider(
    example: Block, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    outcome_of_pytest(pytester, monkeypatch, example.text, calls=1)
