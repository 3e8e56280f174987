from collections.abc import Iterator

import pytest

from miharu.exchange import Exchange
from miharu.interceptor import Interceptor
from miharu.providers.openai.realtime import OpenAIRealtime

from .server import Serving, serving


@pytest.fixture(scope="package")
def running() -> Iterator[Serving]:
    with serving() as found:
        yield found


@pytest.fixture
def exchanges() -> list[Exchange]:
    return []


@pytest.fixture
def interceptor(exchanges: list[Exchange]) -> Iterator[Interceptor]:
    """Not yet installed; the test's end takes it off again."""
    it = Interceptor(exchanges.append, OpenAIRealtime.rules)
    yield it
    it.uninstall()
