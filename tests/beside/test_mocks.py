"""Mocks, cassettes and caches: what they answer is a call too, and what they patch is whole afterwards."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.beside.conftest import QUIET, ROOT, Child, collect

collect()

REAL = {"respx": 0, "respx-httpx": 0, "vcr-records": 4, "vcr-replays": 0, "hishel": 5}
"""What reaches the provider: of hishel's four requests that are no calls, all but one come from its cache."""


@pytest.mark.parametrize("when", ["before", "within"])
@pytest.mark.parametrize("case", list(REAL))
def test_each_call_is_seen_once(case: str, when: str, child: Child) -> None:
    said = child("tests.beside.mocks", case, when)
    assert said["real"] == REAL[case]
    assert (said["within"], said["after"], said["gone"]) == (4, 4, 0)


_MOCKED = """
import httpx, miharu
from pathlib import Path
from miharu.testing import FakeProvider
from tests.beside.mocks import ANSWER
from tests.beside.world import asked, both, rows

{at_import}

def test_mocked(httpx_mock):
    {in_test}
    httpx_mock.add_response(url="https://api.openai.com/v1/chat/completions", json=ANSWER)
    said = httpx.post("https://api.openai.com/v1/chat/completions", json=asked())
    assert said.json() == ANSWER
    assert len(httpx_mock.get_requests()) == 1
    assert miharu.flush()
    assert len(rows(Path("calls.db"))) == 1

def test_real_afterwards():
    with FakeProvider() as provider:
        both(provider)
    assert miharu.shutdown()
    assert len(rows(Path("calls.db"))) == 5
"""


@pytest.mark.parametrize("place", ["at_import", "in_test"])
def test_pytest_httpx_mocks_and_is_seen(place: str, tmp_path: Path) -> None:
    """Its fixture patches and restores the transports around each test."""
    parts = {"at_import": "", "in_test": ""} | {place: 'miharu.init("calls.db")'}
    (tmp_path / "test_inner.py").write_text(_MOCKED.format(**parts))
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:ddtrace", "test_inner.py"],
        cwd=tmp_path,
        env=os.environ | QUIET | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
