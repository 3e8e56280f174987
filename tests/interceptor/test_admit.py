"""Whoever watches may keep a call from being sent; what is raised then is the caller's."""

from collections.abc import Iterator
from types import ModuleType

import aiohttp
import pytest

from miharu.exchange import Exchange
from miharu.interceptor import Interceptor, handoff

from .server import Server
from .world import NO_TLS, RULES

PATH = "v1/chat/completions"


class RefusedError(Exception):
    pass


def refuse() -> None:
    raise RefusedError


@pytest.fixture
def refusing(exchanges: list[Exchange]) -> Iterator[Interceptor]:
    it = Interceptor(exchanges.append, RULES, admit=refuse)
    it.install()
    yield it
    it.uninstall()


def test_a_sync_call_is_not_sent(
    refusing: Interceptor, library: ModuleType, server: Server, exchanges: list[Exchange]
) -> None:
    with library.Client(verify=NO_TLS) as client:
        with pytest.raises(RefusedError):
            client.post(f"{server.url}/json/{PATH}", json={})
        with pytest.raises(RefusedError), client.stream("POST", f"{server.url}/json/{PATH}", json={}):
            raise AssertionError("it was sent")
        refusing.admit = None
        assert client.post(f"{server.url}/json/{PATH}", json={}).status_code == 200
    assert len(server.served) == len(exchanges) == 1
    assert not handoff.running()


async def test_an_async_call_is_not_sent(
    refusing: Interceptor, library: ModuleType, server: Server, exchanges: list[Exchange]
) -> None:
    async with library.AsyncClient(verify=NO_TLS) as client:
        with pytest.raises(RefusedError):
            await client.post(f"{server.url}/json/{PATH}", json={})
        refusing.admit = None
        assert (await client.post(f"{server.url}/json/{PATH}", json={})).status_code == 200
    assert not handoff.inside.get()
    assert len(server.served) == len(exchanges) == 1
    assert not handoff.running()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_aiohttp_does_not_send_it(
    refusing: Interceptor, server: Server, exchanges: list[Exchange]
) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(RefusedError):
            await session.post(f"{server.url}/json/{PATH}", json={})
        refusing.admit = None
        async with session.post(f"{server.url}/json/{PATH}", json={}) as response:
            await response.read()
    assert len(server.served) == len(exchanges) == 1
    assert not handoff.running()


def test_what_is_no_call_is_not_asked_about(
    refusing: Interceptor, library: ModuleType, server: Server
) -> None:
    with library.Client(verify=NO_TLS) as client:
        client.post(f"{server.url}/json/v1/files", json={})
    assert len(server.served) == 1


def test_our_own_requests_are_not_seen(
    refusing: Interceptor, library: ModuleType, server: Server, exchanges: list[Exchange]
) -> None:
    with library.Client(verify=NO_TLS) as client, handoff.unseen():
        client.post(f"{server.url}/json/{PATH}", json={})
    assert len(server.served) == 1
    assert not exchanges
