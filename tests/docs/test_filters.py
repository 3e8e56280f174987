"""Filters as their page shows them: each example is understood, and finds what its comment says."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from miharu.batch import Batch, Score
from miharu.call import Call, Cost, Outcome, Usage, new_id
from miharu.cli import main
from miharu.conditions.fields import FIELDS
from miharu.conditions.language import LONGEST_TEXT, MOST_CONDITIONS, MOST_VALUES, MOST_WORDS
from miharu.conditions.parsing import parse
from miharu.dashboard.queries.lookback import LOOKED_THROUGH_FOR_CONDITIONS
from miharu.stores.narrowing import narrowed
from miharu.stores.sql.conditions import SCORES_LOOKED_THROUGH
from miharu.stores.sqlite import SQLiteStore
from miharu.testing.open_store import both
from miharu.testing.store_contract import ALL, NOON, make_call
from tests.docs.blocks import ROOT, Block, of

PAGE = (ROOT / "docs" / "filters.md").read_text()
FOUND = {
    "model:claude-sonnet-5-5,gpt-6.1-sol": {0, 1},
    "-user:u_1001": {1, 2},
    "cost>0.01": {0},
    "duration>10s": {1},
    "ttft>2s tokens>50k": {1},
    "status:error,cancelled": {1, 2},
    'route:"POST /chat/{thread_id}"': {0},
    "model:gpt-*": {1, 2},
    "tag:team=search,ads": {0, 2},
    "score:helpful<0.5": {2},
    "tool:refund,find_*": {2},
    "-user:*": {2},
    "cost:*": {0, 1},
}
"""What each example finds, of the calls below."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def calls() -> list[Call]:
    many = Usage(prompt_tokens=60_000, completion_tokens=5, usage_source="provider")
    return [
        make_call(
            model="claude-sonnet-5-5",
            user_id="u_1001",
            route="POST /chat/{thread_id}",
            cost=Cost(cost_nanousd=20_000_000, cost_source="x"),
            tags={"team": "search"},
        ),
        make_call(
            model="gpt-6.1-sol",
            user_id="u_1002",
            duration_ms=10_001,
            ttft_ms=2_500,
            usage=many,
            outcome=Outcome(status="cancelled"),
        ),
        make_call(
            model="gpt-4o",
            tags={"team": "ads"},
            cost=None,
            outcome=Outcome(status="error"),
            trace_id="t",
            tools='["open", "find_order"]',
        ),
    ]


@pytest.mark.anyio
@of("docs/filters.md", "either of these models")
async def test_each_example_finds_what_it_says(example: Block, database: Path) -> None:
    kept = calls()
    store = both(SQLiteStore(f"sqlite+aiosqlite:///{database}"))
    await store.open()
    score = Score(id=new_id(NOON), timestamp=NOON, name="helpful", value=0.25, trace_id="t")
    await store.add(Batch(calls=kept, scores=[score]))
    texts = [line.partition(" #")[0].strip() for line in example.text.splitlines()]
    assert texts == list(FOUND)
    for text in texts:
        found = await store.calls(narrowed(ALL, parse(text)))
        assert {kept.index(replace(call, body=None)) for call in found} == FOUND[text], text
    await store.close()


@of("docs/filters.md", "$ miharu stats --where")
def test_what_is_not_understood_is_said_as_shown(
    example: Block, database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command, _, *said = example.text.strip().splitlines()
    [text] = re.findall(r"'(.*)'", command)
    with pytest.raises(SystemExit) as ended:
        main(["stats", "--database", str(database), "--where", text])
    assert ended.value.code == 2
    printed = capsys.readouterr().err
    assert printed.startswith("usage: ")
    assert printed.endswith("\n".join(said) + "\n")


def test_every_field_is_described_with_what_it_is() -> None:
    rows = dict(
        re.findall(r"^\| `([a-z]+)(?::name)?` \| (.*?) \| ", PAGE.partition("## Fields")[2], re.MULTILINE)
    )
    assert set(rows) == set(FIELDS)
    for name, about in rows.items():
        if not FIELDS[name].named:
            assert about.replace("`", "") == FIELDS[name].about


def test_every_condition_in_the_text_is_understood() -> None:
    typed = [
        text
        for text in re.findall(r"`([^`\n]+)`", PAGE.partition("## What is not understood")[0])
        if re.match(r"-?(" + "|".join([*FIELDS, "errors"]) + r")[:=<>]", text) and "name" not in text
    ]
    assert len(typed) >= 10
    for text in typed:
        if text != "duration>10":
            assert parse(text, of_groups=text.startswith("errors")).conditions, text


def test_bounds_are_as_described() -> None:
    bounds = f"at most {LONGEST_TEXT:,} characters, {MOST_CONDITIONS} conditions and {MOST_WORDS} words"
    assert bounds in PAGE
    assert f"at most {MOST_VALUES}" in PAGE
    assert f"{SCORES_LOOKED_THROUGH:,} since" in PAGE
    assert f"newest {LOOKED_THROUGH_FOR_CONDITIONS:,}" in PAGE
