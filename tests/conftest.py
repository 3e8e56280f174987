"""What every test relies on: both async backends, no guard over our mistakes, and nothing left behind."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import miharu
from miharu import _guard
from miharu.attribution import context
from miharu.holding import HOLDING
from miharu.interceptor import handoff as patches
from tests.blocking import unblocked

__all__ = ("unblocked",)

if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):  # started in the background by a script: programs inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)

try:
    from hypothesis import settings
except ImportError:  # an environment of one group of tests
    pass
else:
    # a busy machine is no failure; what each run tries less of is found by the many runs
    settings.register_profile("miharu", deadline=None, max_examples=40)
    settings.register_profile("miharu-full", deadline=None)
    settings.load_profile("miharu")

if TYPE_CHECKING:
    from tests.stores.postgres.server import Server


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="also run what takes minutes")


FIRST = ("security", "browser", "stores", "cli", "test_", "docs", "examples")
"""What starts browsers, servers and processes comes first, so that no worker ends long after the other."""


TOGETHER = {
    f"tests/security/test_{name}.py": "tests/security"
    for name in ("names", "other_sites", "responses", "targets", "tokens")
}
"""Files that share servers of their own: one worker has them all, and starts each server once."""


def _turn(item: pytest.Item) -> int:
    name = item.nodeid.removeprefix("tests/")
    return next((turn for turn, start in enumerate(FIRST) if name.startswith(start)), len(FIRST))


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--full") and "hypothesis" in sys.modules:
        settings.load_profile("miharu-full")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """As ``--dist loadfile``, but for those that go together."""
    from xdist.scheduler import LoadFileScheduling

    if config.getoption("dist") != "loadfile":
        return None

    class ByFile(LoadFileScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            file: str = super()._split_scope(nodeid)
            return TOGETHER.get(file, file)

    return ByFile(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=_turn)
    if config.getoption("--full"):
        return
    for item in items:
        if item.get_closest_marker("full"):
            item.add_marker(pytest.mark.skip(reason="takes minutes; runs with --full"))


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    return backend(request)


def backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    """One of anyio's; asyncio's debug mode, which keeps a stack for each callback, is the long run's."""
    debug = request.param == "asyncio" and request.config.getoption("--full")
    return request.param, {"debug": True} if debug else {}


@pytest.fixture(autouse=True)
def memory() -> None:
    """Exchanges that another test has kept hold nothing any more."""
    HOLDING.start_over()


@pytest.fixture(autouse=True)
def unguarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake on the user's path fails the test instead of hiding behind the guard."""
    monkeypatch.setenv("MIHARU_UNGUARDED", "1")
    for name in (
        *("MIHARU_DATABASE_URL", "MIHARU_SERVICE", "MIHARU_CAPTURE_CONTENT", "MIHARU_DISABLED"),
        "MIHARU_EXPORTERS",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def no_failures_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """What other tests made fail on purpose is not counted here."""
    monkeypatch.setattr(_guard, "_failures", 0)
    monkeypatch.setattr(_guard, "_said", set())


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Each test starts and ends unwatched, with the clients' own functions in place."""
    yield
    context.put(None)
    miharu.shutdown()
    assert patches.target() is None


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "calls.db"


@pytest.fixture(scope="session")
def postgres() -> "Iterator[Server]":
    """One server for all tests; each makes a database of its own in it."""
    from tests.stores.postgres.server import BINARIES, Server

    if BINARIES is None:
        pytest.skip("no PostgreSQL is installed; scripts/test installs one")
    server = Server()
    yield server
    server.remove()
