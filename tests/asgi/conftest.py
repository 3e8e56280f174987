"""Every test here meets a monitor that somebody has started."""

from collections.abc import Iterator

import pytest

from miharu import monitor
from miharu.config import Config
from miharu.dashboard import routes
from miharu.dashboard.access import decide

from .driver import StandIn, echo


@pytest.fixture(autouse=True)
def running(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """A monitor that somebody has started, in a terminal, with nothing known of a proxy."""
    stand_in = StandIn(Config(database="postgresql+asyncpg://ann:s3cret@db/llm"))
    monkeypatch.setattr(monitor, "current", lambda: stand_in)
    monkeypatch.setattr(routes, "respond", echo)
    monkeypatch.setattr(decide, "_has_terminal", lambda: True)
    for name in ("MIHARU_AUTH", "MIHARU_TOKEN", *decide._PLATFORMS):
        monkeypatch.delenv(name, raising=False)
    closed = decide.PROCESS.closed
    decide.PROCESS.closed = False
    yield stand_in
    decide.PROCESS.closed = closed
    stand_in.loop.stop()


@pytest.fixture(autouse=True)
def host_loop(unblocked: None) -> None:
    """Our code waits for nothing on it."""
