"""The two interfaces between a server and an app, ASGI and WSGI, as far as they differ for a door.

Under ASGI all waiting is awaited, and never on the host's loop itself. Under WSGI a request has a thread,
which may wait; there the same coroutines never suspend, and ``result_of`` runs one to its end.
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeVar

from miharu.attribution.routes.wsgi import ENVIRON

if TYPE_CHECKING:
    from miharu.dashboard.http.page import Page
    from miharu.monitor import Monitor

__all__ = ("ASGI", "WSGI", "Interface", "result_of")

T = TypeVar("T")
View = Callable[[], Awaitable["Page"]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """What a door does in its own way under each."""

    request: str
    """What the host's own function is called with, in words."""
    given: Callable[[Mapping[str, Any]], Any]
    """The same, out of the scope."""
    aside: Callable[..., Awaitable[Any]]
    """Calls a function that may take a moment, such as one that reads files."""
    read: "Callable[[Monitor, View], Awaitable[Page]]"
    """Runs a view on miharu's own loop."""


async def _in_a_thread(function: Callable[..., T], *args: Any) -> T:
    from anyio import CapacityLimiter, to_thread

    # A limiter of its own: the host's threads may all be busy, and then the dashboard is looked at.
    return await to_thread.run_sync(function, *args, limiter=CapacityLimiter(1))


async def _here(function: Callable[..., T], *args: Any) -> T:
    return function(*args)


async def _awaited(monitor: "Monitor", view: View) -> "Page":
    return await monitor.read(view)


async def _waited_for(monitor: "Monitor", view: View) -> "Page":
    return monitor.read_sync(view)


ASGI = Interface(request="the ASGI scope", given=lambda scope: scope, aside=_in_a_thread, read=_awaited)
WSGI = Interface(request="the WSGI environ", given=itemgetter(ENVIRON), aside=_here, read=_waited_for)


def result_of(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine of the WSGI interface comes to.

    Raises:
        RuntimeError: It waits for an event loop, and there is none. It is raised where it waits.
    """
    try:
        coroutine.send(None)
        coroutine.throw(RuntimeError("auth= waits for an event loop; under WSGI give a plain function."))
    except StopIteration as done:
        result: T = done.value
        return result
    coroutine.close()
    raise RuntimeError("It waits for an event loop again and again.")
