"""The program sees no difference, whatever it does with a session."""

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from miharu.exchange import Exchange
from miharu.interceptor import Interceptor, handoff

from . import aiohttp_world, async_world, sync_world
from .server import Serving
from .sync_world import Facts

_ENDS = {
    "a_turn": ["eof"],
    "two_turns_read_as_bytes": ["eof", "eof"],
    "json_both_ways": ["eof"],
    "pieces": ["eof"],
    "closed_by_the_other_side": ["error"],
    "broken_off": ["error"],
    "left_in_the_middle": ["closed"],
    "left_by_an_exception": ["closed"],
    "refused": ["eof"],
}
"""How the calls of a scenario have ended; of all others there are none."""
_MAY_END = {
    "left_in_the_middle": {"closed", "eof"},  # its end may come while the session is being closed
    "left_by_an_exception": {"closed", "eof"},
    "a_program_that_is_cancelled": {"closed", "eof"},
    "not_a_text": {"error"},
    "too_large": {"error"},
    "a_wrong_message": {"error"},
}


def _same(interceptor: Interceptor, exchanges: list[Exchange], name: str, play: Callable[[], Facts]) -> None:
    before = play()
    assert not exchanges
    interceptor.install()
    seen = play()
    gc.collect()
    assert seen == before
    ends = [exchange.end for exchange in exchanges]
    if name in _MAY_END:
        assert set(ends) <= _MAY_END[name]
    else:
        assert ends == _ENDS.get(name, [])
    assert not handoff.running()
    interceptor.uninstall()
    assert play() == before


@pytest.mark.parametrize("play", sync_world.SCENARIOS, ids=lambda play: play.__name__)
def test_it_is_the_same_for_the_synchronous_client(
    running: Serving, interceptor: Interceptor, exchanges: list[Exchange], play: Callable[[Any], Facts]
) -> None:
    _same(interceptor, exchanges, play.__name__, lambda: play(running))


@pytest.mark.parametrize("play", async_world.SCENARIOS, ids=lambda play: play.__name__)
def test_it_is_the_same_for_the_asyncio_client(
    running: Serving,
    interceptor: Interceptor,
    exchanges: list[Exchange],
    play: Callable[[Any], Awaitable[Facts]],
) -> None:
    _same(interceptor, exchanges, play.__name__, lambda: asyncio.run(play(running)))  # type: ignore[arg-type]


@pytest.mark.parametrize("play", aiohttp_world.SCENARIOS, ids=lambda play: play.__name__)
def test_it_is_the_same_for_aiohttp(
    running: Serving,
    interceptor: Interceptor,
    exchanges: list[Exchange],
    play: Callable[[Any], Awaitable[Facts]],
) -> None:
    _same(interceptor, exchanges, play.__name__, lambda: asyncio.run(play(running)))  # type: ignore[arg-type]
