"""What is left for the recorder, without one."""

from collections.abc import Iterator
from typing import Any

import pytest

from miharu.attribution import context, records


@pytest.fixture
def spans() -> Iterator[list[Any]]:
    """What was left for the recorder; and no context is left behind."""
    left: list[Any] = []
    sink = left.append
    records.hand_to(sink)
    yield left
    records.withdraw(sink)
    assert context.current() is None
