"""What is left for the recorder, without one."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from miharu.attribution import context, records

Fail = Callable[..., None]


@pytest.fixture
def fail(monkeypatch: pytest.MonkeyPatch) -> Fail:
    """A mistake of ours, to be put somewhere; the guard is up, as it is in a host's program."""
    monkeypatch.delenv("MIHARU_UNGUARDED")

    def fail(*_: object) -> None:
        raise RuntimeError

    return fail


@pytest.fixture
def spans() -> Iterator[list[Any]]:
    """What was left for the recorder; and no context is left behind."""
    left: list[Any] = []
    sink = left.append
    records.hand_to(sink)
    yield left
    records.withdraw(sink)
    assert context.current() is None


@pytest.fixture(autouse=True)
def host_loop(unblocked: None) -> None:
    """Our code waits for nothing on it."""
