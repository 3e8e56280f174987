"""Exchanges that were once read or priced wrongly, with their right values.

They lie outside the project (``MIHARU_CASES``, by default ``../shared/cases``); without them this is skipped.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from miharu.plugins import load
from miharu.providers import BUILT_IN
from miharu.recorder.costing.costs import priced
from miharu.recorder.reading.reader import Reader
from miharu.stores.columns import CALLS, to_row
from tests.pricing.paid import PRICES
from tests.world import exchange, sse

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("MIHARU_CASES", ROOT.parent / "shared" / "cases"))
CASES = json.loads((FOLDER / "wire.json").read_text()) if (FOLDER / "wire.json").is_file() else []
FORMATS = [provider() for _, provider in load(BUILT_IN)]


def test_they_are_here() -> None:
    if not CASES:
        pytest.skip(f"no cases at {FOLDER.name}")
    assert len(CASES) == 25


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_it_reads_and_prices(case: dict[str, Any]) -> None:
    streamed = "events" in case
    named = [(event["type"], event) for event in case.get("events", ())]
    call = Reader(FORMATS).read(
        exchange(
            case["url"],
            asked=case["request"],
            method=case.get("method", "POST"),
            status=case.get("status", 200),
            headers={
                "content-type": "text/event-stream" if streamed else "application/json",
                **case.get("headers", {}),
            },
            chunks=sse(*named, done=False) if streamed else [json.dumps(case["response"]).encode()],
        )
    )
    assert call is not None
    row = dict(zip(CALLS, to_row(priced(call, PRICES)), strict=True))
    right = {field: values for field, values in case["right"].items() if field != "rows"}
    assert {field: row[field] for field in right if row[field] not in right[field]} == {}, case["why"]
