"""A program that records is killed again and again: what was acknowledged is there, and the file is whole."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from miharu.testing import FakeProvider

from .killing import kill_again_and_again

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills are POSIX's")
LATELY_MS = 2000
"""The benchmark says how little it is; here, a machine may have better things to do."""


@pytest.fixture
def provider() -> Iterator[str]:
    with FakeProvider() as provider:
        yield provider.base_url


@pytest.mark.parametrize("kills", [3, pytest.param(100, marks=pytest.mark.full)])
def test_only_the_last_moments_can_be_lost(kills: int, database: Path, provider: str) -> None:
    result = kill_again_and_again(database, provider, kills)
    assert not result.broken
    assert len(result.acknowledged) > kills
    assert set(result.acknowledged) <= set(result.names)
    assert len(result.names) == len(set(result.names))
    assert all(ms < LATELY_MS for ms in result.missing_ms)
    assert not [log for run in result.runs for log in run.logs if "fail" in log or "damaged" in log]
    assert not list(database.parent.glob("*.spool-*"))
    assert not list(database.parent.glob("*.corrupt-*"))
