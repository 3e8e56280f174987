"""Where a call can be made in a web app; each place has a route of its own."""

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from tests.frameworks.model import aask, ask

__all__ = ("AWAITED", "KEY", "LOST", "PLACES", "chunks", "path_of", "sync_chunks", "template_of")


async def _task(name: str) -> None:
    await asyncio.create_task(aask(name))


async def _gathered(name: str) -> None:
    await asyncio.gather(asyncio.sleep(0), aask(name))


async def _to_thread(name: str) -> None:
    await asyncio.to_thread(ask, name)


async def _executor(name: str) -> None:
    await asyncio.get_running_loop().run_in_executor(None, ask, name)


async def _thread(name: str) -> None:
    thread = threading.Thread(target=ask, args=(name,))
    thread.start()
    await asyncio.to_thread(thread.join)


async def _copied(name: str) -> None:
    with ThreadPoolExecutor() as pool:
        await asyncio.wrap_future(pool.submit(contextvars.copy_context().run, ask, name))


AWAITED: dict[str, Callable[[str], Awaitable[None]]] = {
    "async view": aask,
    "asyncio.create_task": _task,
    "asyncio.gather": _gathered,
    "asyncio.to_thread": _to_thread,
    "pool.submit(copy_context().run, …)": _copied,
    "loop.run_in_executor": _executor,
    "threading.Thread": _thread,
}
"""What any asynchronous view can do."""
PLACES = (
    "async view",
    "sync view",
    "dependency",
    "background task",
    "sync background task",
    "streaming response",
    "sync streaming response",
    "websocket",
    "mounted app",
    "asyncio.create_task",
    "asyncio.gather",
    "asyncio.to_thread",
    "pool.submit(copy_context().run, …)",
    "loop.run_in_executor",
    "threading.Thread",
)
LOST = {"loop.run_in_executor", "threading.Thread"}
"""Where Python itself loses the context."""
KEY = "4711"
"""An id, which must not be in the route that is stored."""


def slug(place: str) -> str:
    """The place as a part of a path, and as the name of a model."""
    return "".join(letter if letter.isalpha() else "-" for letter in place)


def path_of(place: str) -> str:
    """Where an app serves it."""
    return f"/await/{slug(place)}/{KEY}" if place in AWAITED else f"/{slug(place)}/{KEY}"


def template_of(place: str) -> str:
    """The route that is to be stored."""
    return "/await/{place}/{key}" if place in AWAITED else f"/{slug(place)}/{{key}}"


async def awaited(name: str) -> str:
    """Call the model in the place of that slug."""
    await next(call for place, call in AWAITED.items() if slug(place) == name)(name)
    return "ok"


async def chunks(place: str) -> AsyncIterator[bytes]:
    yield b"one "
    await aask(slug(place))
    yield b"two"


def sync_chunks(place: str) -> Iterator[bytes]:
    yield b"one "
    ask(slug(place))
    yield b"two"
