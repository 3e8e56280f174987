"""What is on its way right now can be looked at, and nothing that is over stays in the list."""

import threading
from types import ModuleType

import aiohttp
import pytest

from miharu.exchange import Exchange
from miharu.interceptor import Interceptor, handoff

from .server import EVENTS, Server
from .world import NO_TLS

PATH = "v1/chat/completions"


@pytest.fixture(autouse=True)
def nothing_from_before() -> None:
    handoff.forget_all()


def test_a_stream_runs_until_its_end(watching: list[Exchange], library: ModuleType, server: Server) -> None:
    with library.Client(verify=NO_TLS) as client:
        with client.stream("POST", f"{server.url}/stream/{PATH}", json={}) as response:
            [running] = handoff.running()
            assert running.status == 200
            assert not watching
            server.step(len(EVENTS))
            response.read()
        assert handoff.running() == []
    assert watching == [running]


def test_a_call_without_an_answer_runs_too(
    watching: list[Exchange], library: ModuleType, server: Server
) -> None:
    def ask() -> None:
        with library.Client(verify=NO_TLS) as client, pytest.raises(library.HTTPError):
            client.post(f"{server.url}/silent/{PATH}", json={})

    asking = threading.Thread(target=ask)
    asking.start()
    assert server.arrived.wait(20)
    [running] = handoff.running()
    assert running.status is None
    server.reset()
    asking.join()
    assert handoff.running() == []
    assert watching == [running]


def test_who_leaves_ends_what_is_being_answered_and_nothing_else(
    watching: list[Exchange], interceptor: Interceptor, library: ModuleType, server: Server
) -> None:
    with library.Client(verify=NO_TLS) as client:
        sent = Exchange()
        handoff.begun(sent)
        with client.stream("POST", f"{server.url}/stream/{PATH}", json={}):
            answered = next(one for one in handoff.running() if one is not sent)
            interceptor.uninstall()
            assert watching == [answered]
            assert handoff.running() == [sent]
    handoff.forget(sent)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_aiohttp_runs_until_its_end(
    interceptor: Interceptor, server: Server, exchanges: list[Exchange]
) -> None:
    interceptor.install()
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{server.url}/stream/{PATH}", json={}) as response:
            [running] = handoff.running()
            server.step(len(EVENTS))
            await response.read()
        assert handoff.running() == []
    assert exchanges == [running]
