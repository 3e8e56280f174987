"""Many programs record into one file, some are killed and started again, and somebody looks all the time."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from miharu.testing import FakeProvider

from .killing import crowd

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills are POSIX's")


@pytest.fixture
def provider() -> Iterator[str]:
    with FakeProvider() as provider:
        yield provider.base_url


@pytest.mark.parametrize(
    ("programs", "each", "kills"), [(3, 600, 1), pytest.param(8, 1500, 8, marks=pytest.mark.full)]
)
def test_no_call_is_lost_and_no_error_is_seen(
    programs: int, each: int, kills: int, database: Path, provider: str
) -> None:
    result = crowd(database, provider, programs, each, kills)
    assert result.kills == kills
    assert result.integrity == ["ok"]
    assert {f"p{program}-{n}" for program in range(programs) for n in range(each)} == set(result.names)
    assert result.totals == len(result.names)
    assert result.looks > 1
    assert not result.seen_backwards
    assert not [log for run in result.runs for log in run.logs]
    finished = [json.loads(run.done) for run in result.runs if run.done]
    assert len(finished) == programs
    assert not [stats for stats in finished if stats["errors"] or stats["dropped"]]
    assert not list(database.parent.glob("*.spool-*"))
