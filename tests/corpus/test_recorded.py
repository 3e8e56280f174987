"""Recorded traffic that we did not write, through real clients and real sockets.

The recordings lie outside the project (``MIHARU_CORPUS``, by default ``../shared/corpus``); without them the
tests are skipped. Where we read something else than the truth says, ``disagreements.json`` argues why.
"""

import json
import os
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pytest

import miharu
from miharu import providers
from miharu.plugins import load
from miharu.recorder.reading.reader import Reader
from tests.corpus import offline

ROOT = Path(__file__).parents[2]
CORPUS = Path(os.environ.get("MIHARU_CORPUS", ROOT.parent / "shared" / "corpus"))
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
    loaded: dict[str, Any] = tools[1].load([CORPUS / "dev.jsonl.gz"])
    return loaded


@dataclass
class Recording:
    """What miharu makes of recorded traffic, exchange by exchange."""

    tools: Any
    database: Path

    def replay(
        self, exchanges: dict[str, Any], client: str, split: str, encoding: str
    ) -> dict[str, list[Any]]:
        """The new rows of each exchange, issued through a real client."""
        _, replay_client = self.tools
        miharu.init(self.database)
        assert miharu.flush(10)
        connection = sqlite3.connect(self.database)
        connection.row_factory = sqlite3.Row
        seen = 0

        def new_rows() -> list[dict[str, Any]]:
            nonlocal seen
            assert miharu.flush(10)
            rows = connection.execute("SELECT rowid, * FROM llm_calls WHERE rowid > ?", (seen,)).fetchall()
            seen = rows[-1]["rowid"] if rows else seen
            return [dict(row) for row in rows]

        with replay_client.Background([], None, exchanges) as server:
            captured: dict[str, list[Any]]
            captured, problems = replay_client.run(
                exchanges.values(), client, "proxy", split, encoding, new_rows, server.port
            )
        connection.close()
        assert not problems
        return captured


@pytest.fixture
def recording(tools: Any, database: Path) -> Recording:
    return Recording(tools, database)


SENT = (
    *(("hostile", "gzip"), ("event", "original"), ("bytes", "identity")),
    *(("hostile", "br"), ("hostile", "zstd"), ("whole", "deflate")),
)
ALWAYS = {
    *(("httpx.async", "hostile", "gzip"), ("httpx2.sync", "hostile", "gzip")),
    *(("httpx.sync", "event", "original"), ("httpx2.async", "event", "original")),
}
"""Each client once; the long run has each with everything."""


@pytest.mark.parametrize(
    ("client", "split", "encoding"),
    [
        pytest.param(client, *sent, marks=() if (client, *sent) in ALWAYS else pytest.mark.full)
        for client, sent in product(CLIENTS, SENT)
    ],
)
def test_every_exchange_is_one_row_that_equals_the_truth(
    recording: Recording, exchanges: dict[str, Any], client: str, split: str, encoding: str
) -> None:
    captured = recording.replay(exchanges, client, split, encoding)
    counts = {id: len(rows) for id, rows in captured.items() if len(rows) != 1}
    assert counts == {}
    differing = [
        f"{id} {field}: truth {exchange['truth'].get(field)!r}, read {got!r} ({verdict})"
        for id, exchange in exchanges.items()
        for field, verdict, got in _verdicts(recording.tools[0], exchange, captured[id][0])
        if verdict not in {"exact", "null~0"} and f"{id} {field}" not in DISAGREEMENTS
    ]
    assert not differing, "\n".join(differing)


COMPLETING = {"pydantic-ai-0a0320dc27", "pydantic-ai-787d2b14cc"}
"""They fetch a background response that has finished, and carry the usage that its first answer did not."""


OF_BATCHES = {
    *("ruby_llm-61b1c40f08", "ruby_llm-1609e23aae"),
    *("ruby_llm-7511acbf9c", "ruby_llm-c34c54bb32", "ruby_llm-1c26b589bc"),
}
"""They fetch the results of a batch: each request in it is a call."""


@pytest.mark.parametrize("client", CLIENTS)
def test_what_is_no_call_is_never_billed(recording: Recording, client: str) -> None:
    loaded = recording.tools[1].load([CORPUS / "negatives.jsonl.gz"])
    captured = recording.replay(loaded, client, "hostile", "gzip")
    assert {id for id, rows in captured.items() if rows} <= COMPLETING | OF_BATCHES
    tiers = {row["service_tier"] for id in OF_BATCHES for row in captured.get(id, ())}
    assert tiers <= {"batch"}


def test_no_disagreement_is_left_over(tools: Any, exchanges: dict[str, Any]) -> None:
    """One that the truth or the reader has outlived is struck from the list."""
    reader = Reader([provider() for _, provider in load(providers.BUILT_IN)])
    still = {
        f"{id} {field}"
        for id, exchange in exchanges.items()
        for row in offline.read(reader, exchange)
        for field, verdict, _ in _verdicts(tools[0], exchange, row)
        if verdict not in {"exact", "null~0"}
    }
    assert set(DISAGREEMENTS) <= still


_OF_A_SUCCESS = {"input_total", "output_total", "cached_input", "cache_write", "reasoning"}


def _verdicts(compare: Any, exchange: Any, row: dict[str, Any]) -> Iterator[tuple[str, str, object]]:
    truth = exchange["truth"]
    for field, names in compare.FIELD_MAP.items():
        if field == "response_model" and (truth[field] is None or not truth["ok"]):
            continue  # the row then has the requested one, as documented
        if not truth["ok"] and field in _OF_A_SUCCESS:
            continue  # what an error says of these is not judged
        verdict, got = compare.verdict(field, truth, row, names)
        yield field, verdict, got
