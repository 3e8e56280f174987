"""The words of scenarios with urllib3 and requests, which have one colour only."""

import gc
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import urllib3

from miharu.exchange import End, Exchange
from miharu.interceptor import Interceptor

from .server import EVENTS, Server
from .world import PATH, RULES

__all__ = ("SCENARIOS", "Pools", "Scenario", "Seen", "observe", "scenario")


@dataclass(frozen=True)
class Scenario:
    """What a program does, and how the exchanges must end that it makes."""

    run: "Callable[[Pools], None]"
    ends: "tuple[End | Literal['whole'], ...]"
    """``whole`` for an answer read to its last byte, where who closes first is a matter of the version."""


SCENARIOS: dict[str, Scenario] = {}


def scenario(
    *ends: "End | Literal['whole']",
) -> "Callable[[Callable[[Pools], None]], Callable[[Pools], None]]":
    def register(run: "Callable[[Pools], None]") -> "Callable[[Pools], None]":
        SCENARIOS[run.__name__] = Scenario(run, ends)
        return run

    return register


@dataclass
class Pools:
    """What a scenario has: a server, and a place for what it sees."""

    server: Server
    facts: list[object] = field(default_factory=list)

    def url(self, script: str) -> str:
        return f"{self.server.url}/{script}/{PATH}"

    def note(self, *facts: object) -> None:
        self.facts.append(facts)

    @contextmanager
    def failing(self) -> Iterator[None]:
        """Here something goes wrong; what the caller sees of it is a fact."""
        try:
            yield
        except Exception as error:
            self.note(f"{type(error).__module__}.{type(error).__qualname__}", self.plain(error))
            self.note([type(one).__qualname__ for one in _chain(error)])
        else:
            self.note("nothing went wrong")

    def plain(self, value: object) -> str:
        return re.sub(r"0x\w+|port=\d+|:\d{4,5}\b", "N", str(value))

    @contextmanager
    def manager(self, **options: Any) -> Iterator[Any]:
        with urllib3.PoolManager(**options) as manager:
            yield manager
            self.note_pools(manager)

    def open(self, manager: Any, script: str, *, steps: int = len(EVENTS), **options: Any) -> Any:
        """Ask for an answer whose body is still to be read, and which the server may say so far."""
        self.server.step(steps)
        options = {"body": b"{}", "preload_content": False, **options}
        return manager.request("POST", self.url(script), **options)

    def note_response(self, response: Any) -> None:
        """All that urllib3's response shows; below it what is left when the body has ended."""
        below = response._original_response
        self.note(
            type(response),
            sorted(vars(response)),
            response.status,
            response.reason,
            response.version,
            sorted(response.headers.items()),
            response.closed,
            response.isclosed(),
            response.tell(),
            response.length_remaining,
            response.chunk_left,
            response.connection is None,
            response.retries and self.plain(response.retries.history),
            type(response._fp).__qualname__,
            isinstance(below, type(response._fp)),
            repr(type(below)),
        )
        if below is not None and below.isclosed():
            self.note(type(below), type(below).__mro__, sorted(vars(below)))

    def note_pools(self, manager: Any) -> None:
        for key in manager.pools.keys():  # noqa: SIM118 - it is no mapping
            pool = manager.pools.get(key)
            waiting = [] if pool.pool is None else [one is None for one in pool.pool.queue]
            self.note(pool.num_connections, pool.num_requests, sorted(waiting))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


@dataclass
class Seen:
    """All that one run showed: to the caller, and to us."""

    facts: list[object]
    exchanges: list[Exchange]


def observe(play: Scenario, server: Server, *, watched: bool) -> Seen:
    """Run a scenario once, and tell all that it showed."""
    server.reset()
    world = Pools(server)
    exchanges: list[Exchange] = []
    interceptor = Interceptor(exchanges.append, RULES)
    gc.collect()  # what earlier tests left behind is not ours
    before = sys.unraisablehook
    sys.unraisablehook = lambda trouble: world.note("unraisable", repr(trouble.exc_value))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if watched:
            interceptor.install()
        try:
            play.run(world)
            gc.collect()
        finally:
            interceptor.uninstall()
            sys.unraisablehook = before
    messages = [f"{warning.category.__name__}: {warning.message}" for warning in caught]
    world.note(sorted(re.sub(r"0x\w+|\d+", "N", message) for message in messages))
    return Seen(world.facts, exchanges)
