import gc
import importlib
from collections.abc import Iterator
from types import ModuleType

import pytest

from miharu.exchange import Exchange
from miharu.interceptor import Interceptor

from .server import Server
from .world import RULES


@pytest.fixture(autouse=True)
def unguarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake of ours fails the test, instead of hiding behind the guard."""
    monkeypatch.setenv("MIHARU_UNGUARDED", "1")


@pytest.fixture(scope="package", autouse=True)
def quick_collections() -> Iterator[None]:
    """Scenarios collect garbage often; the SDKs' hundreds of thousands of objects need no look each time."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(params=["httpx", "httpx2"])
def library(request: pytest.FixtureRequest) -> ModuleType:
    return importlib.import_module(request.param)


@pytest.fixture(scope="package")
def running() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture
def server(running: Server) -> Server:
    running.reset()
    return running


@pytest.fixture
def exchanges() -> list[Exchange]:
    return []


@pytest.fixture
def interceptor(exchanges: list[Exchange]) -> Iterator[Interceptor]:
    """Not yet installed; the test's end takes it off again."""
    it = Interceptor(exchanges.append, RULES)
    yield it
    it.uninstall()


@pytest.fixture
def watching(interceptor: Interceptor, exchanges: list[Exchange], library: ModuleType) -> list[Exchange]:
    """The exchanges seen from now on."""
    interceptor.install()
    return exchanges


@pytest.fixture(autouse=True)
def host_loop(unblocked: None) -> None:
    """Our code waits for nothing on it."""
