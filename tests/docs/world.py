"""What the exercises have in common: a call that is recorded, an app that is visited, a run of pytest."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

import miharu
from tests.calls import ask
from tests.docs.blocks import ROOT

__all__ = ("asked_for", "outcome_of_pytest", "visiting")


@contextmanager
def visiting(app: Any) -> Iterator[TestClient]:
    with TestClient(app) as client:
        yield client


def asked_for(app: Any, database: Path, path: str = "/miharu/") -> str:
    """Record a call, and look at the list of calls behind this door, as a visitor of the app does."""
    miharu.init(database)
    ask("what the page shows")
    assert miharu.flush()
    with visiting(app) as client:
        assert client.get(path).status_code == 200
        return client.get(f"{path}calls").text


def outcome_of_pytest(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, program: str, *options: str, calls: int
) -> str:
    """Run a test file in a process of its own, whose settings are pytest's; what was said."""
    monkeypatch.delenv("MIHARU_UNGUARDED", raising=False)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(pytester.path), str(ROOT)]))
    pytester.makepyfile(test_example=program)
    run = pytester.run(sys.executable, "-m", "pytest", "-q", *options)
    said = "\n".join([*run.outlines, *run.errlines])
    assert run.ret == 0, said
    assert f"{calls} passed" in said, said
    return said
