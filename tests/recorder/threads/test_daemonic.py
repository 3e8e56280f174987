import ast
import sys
import threading
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

import miharu
from miharu.exchange import Exchange
from miharu.recorder.spool import Spool
from miharu.recorder.threads.daemonic import is_daemonic
from miharu.recorder.threads.endings import before_the_end
from tests.calls import ask, rows


def test_it_is_not_unless_multiprocessing_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("multiprocessing.process")
    monkeypatch.setitem(sys.modules, "multiprocessing.process", module)
    assert not is_daemonic()  # another thread is in the middle of importing it
    module.parent_process = lambda: None  # type: ignore[attr-defined]
    assert not is_daemonic()
    module.parent_process = lambda: 1  # type: ignore[attr-defined]
    module.current_process = lambda: SimpleNamespace(daemon=True)  # type: ignore[attr-defined]
    assert is_daemonic()
    monkeypatch.delitem(sys.modules, "multiprocessing.process")
    assert not is_daemonic()


def halves(name: str) -> Iterator[ModuleType]:
    """The module after each of its statements, as another thread sees it that imports it."""
    spec = find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    statements = ast.parse(Path(spec.origin).read_text()).body
    for end in range(len(statements) + 1):
        half = ModuleType(name)
        half.__package__ = name.rpartition(".")[0]
        exec(compile(ast.Module(statements[:end], []), spec.origin, "exec"), half.__dict__)
        yield half


def test_half_a_module_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, look in (
        ("multiprocessing.process", is_daemonic),
        ("multiprocessing.util", lambda: before_the_end(nothing)),
    ):
        monkeypatch.setattr("atexit.register", lambda work, *_, **__: work)
        for half in halves(name):
            monkeypatch.setitem(sys.modules, name, half)
            look()


def nothing() -> None: ...


def test_a_call_of_a_worker_that_may_be_terminated_is_safe_once_it_is_answered(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the thread that made it: no other one has to have had its turn."""
    miharu.init(database)
    ask()
    assert miharu.flush(30)
    append, by_thread = Spool.append_unread, list[bool]()

    def watched(spool: Spool, exchanges: Sequence[Exchange]) -> None:
        append(spool, exchanges)
        by_thread.append(threading.current_thread() is threading.main_thread())

    def fails(_: Spool, __: object) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr("miharu.monitor.monitor.is_daemonic", lambda: True)
        patched.setattr(Spool, "append_unread", watched)
        ask()
        assert by_thread == [True]
        ask(question="x" * (2 << 20))  # would take that thread too long
        assert by_thread == [True]
        patched.setattr(Spool, "append_unread", fails)
        ask()
    assert miharu.flush(30)
    assert len(rows(database)) == 4
