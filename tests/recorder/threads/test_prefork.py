import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from miharu.recorder.threads.prefork import is_prefork


def uwsgi(monkeypatch: pytest.MonkeyPatch, module: Any) -> None:
    monkeypatch.setitem(sys.modules, "uwsgi", module)


def test_without_uwsgi_nothing_is_still_to_be_forked() -> None:
    assert not is_prefork()


@pytest.mark.parametrize(("worker", "expected"), [(0, True), (1, False), (7, False)])
def test_its_first_process_is_told_from_its_workers(
    monkeypatch: pytest.MonkeyPatch, worker: int, *, expected: bool
) -> None:
    uwsgi(monkeypatch, SimpleNamespace(worker_id=lambda: worker))
    assert is_prefork() is expected


def test_another_module_of_that_name_is_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    uwsgi(monkeypatch, ModuleType("uwsgi"))
    assert not is_prefork()
