"""No exception of ours reaches the caller; it is counted, and said once."""

import logging
from types import ModuleType
from typing import Any

import pytest

from miharu import _guard
from miharu.exchange import Exchange
from miharu.holding import HOLDING
from miharu.interceptor import Interceptor, gate, handoff, httpx, tee
from miharu.kept_body import KeptBody

from .server import EVENTS, Server
from .world import NO_TLS, RULES


class _Ours(Exception):
    """A mistake of ours."""


def broken(*_: Any, **__: Any) -> Any:
    raise _Ours


@pytest.fixture(autouse=True)
def guarded(unguarded: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MIHARU_UNGUARDED")
    monkeypatch.setattr(_guard, "_said", set())


BREAKS = [
    (gate.Gate, "passes", "looking at a request"),
    (httpx, "HttpxExchange", "looking at a request"),
    (tee._Tee, "__init__", "looking at a response"),
    (KeptBody, "overflow", "keeping a chunk"),
]


@pytest.mark.parametrize(("owner", "name", "where"), BREAKS, ids=lambda value: str(value).rpartition(".")[2])
@pytest.mark.parametrize("colour", ["sync", "asyncio"])
def test_caller_gets_the_answer_all_the_same(
    *,
    library: ModuleType,
    watching: list[Exchange],
    server: Server,
    owner: Any,
    name: str,
    where: str,
    colour: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    import anyio

    monkeypatch.setattr(owner, name, broken)
    monkeypatch.setattr(HOLDING, "limit", 0)  # every chunk overflows
    url = f"{server.url}/stream/v1/chat/completions"
    before = _guard.failures()

    async def acall() -> bytes:
        async with library.AsyncClient(verify=NO_TLS) as client:
            return (await client.post(url)).content  # type: ignore[no-any-return]

    with caplog.at_level(logging.WARNING, "miharu"):
        for _ in range(2):
            server.step(len(EVENTS))
            content = library.post(url, verify=NO_TLS).content if colour == "sync" else anyio.run(acall)
            assert content == b"".join(EVENTS)

    assert _guard.failures() > before
    said = [record.getMessage() for record in caplog.records if record.name == "miharu"]
    assert len(said) == 1
    assert said[0].startswith(f"miharu: {where} failed; your program is not affected")


def test_broken_sink_harms_nobody(library: ModuleType, server: Server) -> None:
    interceptor = Interceptor(broken, RULES)
    interceptor.install()
    try:
        assert library.post(f"{server.url}/json/v1/chat/completions", verify=NO_TLS).status_code == 200
        with pytest.raises(library.ConnectError):
            library.post("http://127.0.0.1:1/v1/chat/completions", verify=NO_TLS)
    finally:
        interceptor.uninstall()


def test_error_without_a_text_is_recorded_as_it_is(library: ModuleType, watching: list[Exchange]) -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise _Ours

    def fail(request: Any) -> Any:
        raise Mute

    with library.Client(transport=library.MockTransport(fail)) as client, pytest.raises(Mute):
        client.post("http://model.test/v1/chat/completions")
    assert [(exchange.end, exchange.error_message) for exchange in watching] == [("error", None)]


@pytest.mark.parametrize("leaving", [KeyboardInterrupt, SystemExit])
def test_interruption_of_the_program_passes(
    library: ModuleType, watching: list[Exchange], leaving: type[BaseException]
) -> None:
    def fail(request: Any) -> Any:
        raise leaving

    with library.Client(transport=library.MockTransport(fail)) as client, pytest.raises(leaving):
        client.post("http://model.test/v1/chat/completions")
    assert [exchange.end for exchange in watching] == ["cancelled"]


def test_tests_can_switch_it_off(library: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIHARU_UNGUARDED", "1")
    transport = library.MockTransport(lambda request: library.Response(200, content=b"{}"))
    interceptor = Interceptor(broken, RULES)
    interceptor.install()
    try:
        with library.Client(transport=transport) as client, pytest.raises(_Ours):
            client.post("http://model.test/v1/chat/completions")
    finally:
        interceptor.uninstall()


def test_a_call_is_handed_over_though_one_who_is_shown_it_fails(
    library: ModuleType, watching: list[Exchange], server: Server
) -> None:
    shown: list[Exchange] = []
    before = _guard.failures()
    with handoff.also(broken), handoff.also(shown.append):
        server.step(len(EVENTS))
        library.post(f"{server.url}/stream/v1/chat/completions", verify=NO_TLS)
    assert len(watching) == 1
    assert shown == watching
    assert _guard.failures() == before + 1
