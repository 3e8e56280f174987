"""Sees each exchange of a client library with a model, and hands it to a sink. It changes nothing.

gate.py     is this request worth a look? a set look-up
httpx.py    the patch of httpx and httpx2, sync and async
tee.py      each chunk goes to the app and, by reference, into the exchange
aiohttp.py  the patch of aiohttp, silent below an httpx client
urllib3.py  the patch of urllib3, which carries requests and botocore; silent below an httpx client, too
http_client.py  the tee in the responses of the standard library, which urllib3 reads
forms.py    the plain fields of a form that is sent as bytes
sockets/    WebSocket sessions with models, whose messages are many calls
handoff.py  who takes the exchanges, and how one ends
wrapping.py functions of ours on other people's classes
imports.py  libraries that are imported later
jobs/       the names of jobs, from Celery, RQ, arq and APScheduler
"""

import importlib
import logging
import sys
from collections.abc import Callable, Iterable
from types import ModuleType

from miharu._guard import swallowed
from miharu.exchange import Exchange
from miharu.interceptor import handoff, imports, wrapping
from miharu.interceptor.gate import Gate, Pass
from miharu.interceptor.jobs import JOBS

__all__ = ("LIBRARIES", "Interceptor")


def _patch_httpx(library: ModuleType) -> str:
    from miharu.interceptor import httpx

    return httpx.patch(library)


def _patch_aiohttp(library: ModuleType) -> str:
    from miharu.interceptor import aiohttp

    return aiohttp.patch(library)


def _patch_urllib3(library: ModuleType) -> str:
    from miharu.interceptor import urllib3

    return urllib3.patch(library)


def _patch_websockets(library: ModuleType) -> str:
    from miharu.interceptor.sockets import websockets

    return websockets.patch(library)


def _patch_handshake(library: ModuleType) -> str:
    from miharu.interceptor.sockets import websockets

    return websockets.patch_handshake(library)


LIBRARIES: dict[str, Callable[[ModuleType], str]] = {
    "httpx": _patch_httpx,
    "httpx2": _patch_httpx,
    "aiohttp": _patch_aiohttp,
    "urllib3": _patch_urllib3,
    "websockets.client": _patch_websockets,
    "websockets.asyncio.client": _patch_handshake,
    "websockets.sync.client": _patch_handshake,
    "websockets.trio.client": _patch_handshake,
}
"""What patches each; our side of it is imported with the library."""

logger = logging.getLogger("miharu")


class Interceptor:
    """Patches what is loaded, and hooks what loads later. One is installed at a time."""

    def __init__(
        self,
        sink: Callable[[Exchange], None],
        rules: Iterable[Pass],
        settle: Callable[[], object] = bool,
        admit: Callable[[], object] | None = None,
        ignores: Callable[[str, int | None, str], bool] | None = None,
    ) -> None:
        """Prepare; nothing is touched before ``install``.

        Args:
            sink: Takes each finished exchange, on the caller's thread. It must be quick and never raise.
            rules: Which requests may be model calls.
            settle: Waits until what the sink took is kept, for processes that end without notice.
            admit: Asked before a call is sent, on the caller's thread; what it raises is the caller's.
            ignores: Whether what goes to that host, port and path is left out, though it may be a model call.
        """
        self.gate = Gate(rules)
        self.sink = sink
        self.settle = settle
        self.admit = admit
        self.ignores = ignores
        self.seen: dict[str, str] = {}
        """The patched libraries, and the level at which each is seen."""

    def install(self) -> None:
        """Start watching. Clients and modules that exist already are covered."""
        handoff.hand_to(self)
        pending = []
        for name in (*LIBRARIES, *JOBS):
            module = sys.modules.get(name)
            if module is None:
                pending.append(name)
                continue
            if getattr(
                getattr(module, "__spec__", None), "_initializing", False
            ):  # another thread is importing it
                module = importlib.import_module(name)
            self._patch(module)
        imports.on_import(pending, self._patch)

    def uninstall(self) -> None:
        """Stop watching; the original functions are back unless another library has wrapped ours."""
        if handoff.target() is self:
            handoff.close_open()
            handoff.hand_to(None)
            imports.forget()
            wrapping.restore()

    def _patch(self, module: ModuleType) -> None:
        name = module.__name__
        if name in JOBS:
            try:
                JOBS[name](module)
            except Exception:  # noqa: BLE001 - jobs without names are better than no calls
                swallowed("hooking a task queue")
            return
        level = LIBRARIES[name](module)
        known, self.seen[name] = self.seen.get(name), level
        if level not in ("client", known):
            what = "its HTTP transports, not custom ones" if level == "transport" else "nothing of it"
            logger.warning("miharu: this %s is not the one we know; watching %s.", name, what)
