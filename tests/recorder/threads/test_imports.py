"""Imports on the recorder's thread, and forks in the middle of them."""

import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from miharu.recorder.threads import imports

MODULE = """
import tests.recorder.threads.test_imports as here
here.now.began.set()
assert here.now.go_on.wait(30)
"""
now = SimpleNamespace(began=threading.Event(), go_on=threading.Event())


@pytest.fixture
def first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A module that takes until it may go on; ``miharu_second`` is another."""
    (tmp_path / "miharu_first.py").write_text(MODULE)
    (tmp_path / "miharu_second.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "miharu_first"
    for name in ("miharu_first", "miharu_second"):
        sys.modules.pop(name, None)


def test_a_fork_waits_for_one_step_and_not_for_all(first: str) -> None:
    def both() -> None:
        imports.import_step(first)
        imports.import_step("miharu_second")

    thread = threading.Thread(target=both)
    thread.start()
    assert now.began.wait(30)
    threading.Timer(0.2, now.go_on.set).start()
    imports.hold_still(30)
    try:
        assert first in sys.modules
        assert "miharu_second" not in sys.modules
    finally:
        imports.let_go()
    thread.join(30)
    assert "miharu_second" in sys.modules


def test_a_fork_does_not_wait_for_ever() -> None:
    holds, ends = threading.Event(), threading.Event()

    def hold() -> None:
        with imports.importing():
            holds.set()
            ends.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    assert holds.wait(30)
    imports.hold_still(0.05)
    imports.let_go()
    ends.set()
    thread.join(30)
    imports.import_step("json")
