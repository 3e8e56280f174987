"""Frameworks of agents inside ``miharu.observe``: each call stands below the run it belongs to."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import miharu
from tests.sdks.conftest import Played, installed
from tests.sdks.drivers import ALL
from tests.sdks.scene import Sdk

_AGENTS = ("langchain-openai", "pydantic-ai-slim", "openai-agents")
_RUNS = [
    pytest.param(
        sdk,
        scenario,
        id=f"{sdk.name}: {scenario}",
        marks=pytest.mark.skipif(installed(sdk) is None, reason=f"{sdk.package} is not installed"),
    )
    for sdk in ALL
    if sdk.package in _AGENTS
    for scenario in ("plain", "streamed", "tools")
    if scenario in sdk.plays
]


@pytest.mark.parametrize(("sdk", "scenario"), _RUNS)
def test_each_call_stands_below_its_run(sdk: Sdk, scenario: str, play: Any, tmp_path: Path) -> None:
    run = miharu.observe(name="run")(sdk.plays[scenario])
    played: Played = play(replace(sdk, plays={scenario: run}), scenario)
    assert played.error is None
    assert not played.failures
    assert played.rows
    with closing(sqlite3.connect(tmp_path / "calls.db")) as connection:
        own = "SELECT id, trace_id, name, status FROM llm_spans WHERE kind IS NULL"
        [(span, trace, name, status)] = connection.execute(own)
        tools = connection.execute("SELECT name, parent_id FROM llm_spans WHERE kind IS NOT NULL").fetchall()
    assert (name, status) == ("run", "success")
    assert tools == [("weather", span)] * (len(played.rows) > 1 and scenario == "tools")
    assert {(row["trace_id"], row["parent_id"]) for row in played.rows} == {(trace, span)}
