"""Recorded traffic that we did not write, through real clients and real sockets.

The recordings lie outside the project (``MIHARU_CORPUS``, by default ``../shared/corpus``); without them the
tests are skipped. Where we read something else than the truth says, ``disagreements.json`` argues why.
"""

import json
import os
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import miharu
from miharu.recorder import worker

ROOT = Path(__file__).parents[2]
CORPUS = Path(os.environ.get("MIHARU_CORPUS", ROOT.parent / "shared" / "corpus"))
FLAVOURS = {"openai.chat", "openai.completions", "openai.embeddings", "openai.responses"}
DISAGREEMENTS = json.loads(Path(__file__).with_name("disagreements.json").read_text())
CLIENTS = ("httpx.sync", "httpx.async", "httpx2.sync", "httpx2.async")

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no recorded traffic at {CORPUS.name}")


@pytest.fixture(scope="module")
def tools() -> Iterator[Any]:
    sys.path.insert(0, str(CORPUS))
    import compare
    import replay_client

    yield compare, replay_client
    sys.path.remove(str(CORPUS))


@pytest.fixture(scope="module")
def exchanges(tools: Any) -> dict[str, Any]:
    loaded = tools[1].load([CORPUS / "dev.jsonl.gz"])
    return {
        id: exchange
        for id, exchange in loaded.items()
        if exchange["flavour"] in FLAVOURS and exchange["provider"] in {"openai", "azure"}
    }


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    ("split", "encoding"),
    [
        ("hostile", "gzip"),
        ("event", "original"),
        pytest.param("bytes", "identity", marks=pytest.mark.full),
        ("hostile", "br"),
        ("hostile", "zstd"),
        ("whole", "deflate"),
    ],
)
def test_every_exchange_is_one_row_that_equals_the_truth(
    client: str,
    split: str,
    encoding: str,
    tools: Any,
    exchanges: dict[str, Any],
    database: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compare, replay_client = tools
    monkeypatch.setattr(worker, "POLL_S", 0.001)
    miharu.init(database)
    assert miharu.flush(10)
    connection = sqlite3.connect(database)
    connection.row_factory = sqlite3.Row
    seen = 0

    def new_rows() -> list[dict[str, Any]]:
        nonlocal seen
        assert miharu.flush(10)
        rows = connection.execute("SELECT rowid, * FROM llm_calls WHERE rowid > ?", (seen,)).fetchall()
        seen = rows[-1]["rowid"] if rows else seen
        return [dict(row) for row in rows]

    with replay_client.Background([], None, exchanges) as server:
        captured, problems = replay_client.run(
            exchanges.values(), client, "proxy", split, encoding, new_rows, server.port
        )
    connection.close()
    assert not problems
    assert {id: len(rows) for id, rows in captured.items()} == dict.fromkeys(exchanges, 1)
    differing = [
        f"{id} {field}: truth {exchange['truth'].get(field)!r}, read {got!r} ({verdict})"
        for id, exchange in exchanges.items()
        for field, verdict, got in _verdicts(compare, exchange, captured[id][0])
        if verdict not in {"exact", "null~0"} and f"{id} {field}" not in DISAGREEMENTS
    ]
    assert not differing, "\n".join(differing)


def _verdicts(compare: Any, exchange: Any, row: dict[str, Any]) -> Iterator[tuple[str, str, object]]:
    truth = exchange["truth"]
    for field, names in compare.FIELD_MAP.items():
        if field == "response_model" and truth[field] is None:
            continue  # the row then has the requested one, as documented
        verdict, got = compare.verdict(field, truth, row, names)
        yield field, verdict, got
