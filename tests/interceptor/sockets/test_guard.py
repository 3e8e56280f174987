"""No exception of ours reaches a program that talks over a WebSocket, whichever step it comes from."""

import gc
from collections.abc import Callable, Iterator
from typing import Any

import aiohttp
import pytest

from miharu import _guard
from miharu.interceptor import Interceptor, handoff
from miharu.interceptor.sockets import aiohttp as aiohttp_sockets
from miharu.interceptor.sockets import session, websockets

from .server import Serving
from .test_calls import ALL, _aiohttp

WEBSOCKETS = [(websockets, name) for name in ("_uri", "_texts", "_why", "_Frames")]
AIOHTTP = [(aiohttp_sockets, name) for name in ("_texts", "turns_at", "Session")]
SESSIONS = [
    (session.Session, name) for name in ("_kinds", "_ask", "_begin_one", "_end_of_one", "_finish", "_made")
]
BREAKS = [
    *((owner, name, talk) for owner, name in WEBSOCKETS for talk in ALL[:2]),
    *((owner, name, _aiohttp) for owner, name in AIOHTTP),
    *((owner, name, talk) for owner, name in SESSIONS for talk in ALL),
]


class _Ours(Exception):
    """A mistake of ours."""


@pytest.fixture(autouse=True)
def guarded(interceptor: Interceptor, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    interceptor.install()
    monkeypatch.delenv("MIHARU_UNGUARDED")
    monkeypatch.setattr(_guard, "_said", set())
    yield
    monkeypatch.undo()
    gc.collect()  # what was broken off here ends here
    handoff.forget_all()


def _broken_after(calls: int, original: Callable[..., Any]) -> Callable[..., Any]:
    """The original for so many calls, and a mistake from then on."""
    left = calls

    def broken(*args: Any, **kwargs: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise _Ours
        return original(*args, **kwargs)

    return broken


@pytest.mark.parametrize("calls", [0, 1, 2])
@pytest.mark.parametrize(("owner", "name", "talk"), BREAKS)
def test_the_talk_goes_on(
    *,
    running: Serving,
    owner: Any,
    name: str,
    talk: Callable[[str], None],
    calls: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    original = getattr(owner, name)
    monkeypatch.setattr(owner, name, _broken_after(calls, original))
    talk(running.url("talk", "http"))
    monkeypatch.setattr(owner, name, original)


@pytest.mark.parametrize(
    ("name", "calls", "refused", "expected"),
    [
        ("_texts", 2, True, aiohttp.WSServerHandshakeError),
        ("_said_by", 0, False, aiohttp.ClientConnectorError),
    ],
)
def test_a_session_that_cannot_be_opened_fails_as_it_would(
    *,
    running: Serving,
    name: str,
    calls: int,
    refused: bool,
    expected: type[Exception],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(aiohttp_sockets, name, _broken_after(calls, getattr(aiohttp_sockets, name)))
    url = running.url("refused", "http") if refused else "http://127.0.0.1:9/v1/realtime"
    with pytest.raises(expected):
        _aiohttp(url)
