import sys
from types import ModuleType, SimpleNamespace

import pytest

from miharu.recorder.daemonic import is_daemonic


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
