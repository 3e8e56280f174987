"""How ``miharu dashboard`` listens, says where, opens the browser, and ends."""

import errno
import os
import socket
import threading
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import uvicorn

from miharu.dashboard.access.names import is_loopback
from miharu.dashboard.access.secret import token_for, token_from
from miharu.errors import MiharuError
from miharu.server.app import access_for, create_app

if TYPE_CHECKING:
    from miharu.monitor import Monitor

__all__ = ("PortInUse", "run")


class PortInUse(MiharuError):  # noqa: N818 - a state of affairs
    """Another program listens on that port."""


def run(
    monitor: "Monitor",
    host: str = "127.0.0.1",
    port: int = 3001,
    *,
    open_browser: bool = False,
    announce: Callable[[str], object] = print,
    ingest: Callable[[str], object] | None = None,
) -> None:
    """Serve until Ctrl-C; once it listens, ``announce`` is given the address to open.

    With ``ingest`` it takes in what other programs send, and that is given the URL which they need.

    Raises:
        PortInUse: Another program listens there.
        MiharuError: It cannot listen there; the message says what to do.
    """
    with _listen(host, port) as listener:
        said, opened = _address(monitor, host, listener.getsockname()[1])

        def present() -> None:
            announce(said)
            if ingest is not None:
                ingest(_url(monitor, host, listener.getsockname()[1]))
            if open_browser:
                _open(opened)

        config = uvicorn.Config(
            create_app(monitor, host=host, ingest=ingest is not None),
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,  # who asks is judged by the connection itself
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=2,
        )
        server = _Server(config, present)
        with suppress(KeyboardInterrupt):  # uvicorn has closed everything, and passes the signal on
            server.run(sockets=[listener])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, when_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._when_ready = when_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._when_ready()


def _address(monitor: "Monitor", host: str, port: int) -> tuple[str, str]:
    """What may be said aloud, and what opens the dashboard."""
    address = f"http://{_name(host, 'localhost')}:{port}/"
    if access_for(host).mode() != "token":
        return address, address
    chosen = token_from(os.environ)
    if chosen:
        return f"{address}?token=<the value of MIHARU_TOKEN>", f"{address}?{urlencode({'token': chosen})}"
    link = f"{address}?token={token_for(monitor.config.database)}"
    return link, link


def _url(monitor: "Monitor", host: str, port: int) -> str:
    """What other programs set as their database, to be said aloud."""
    token = "<the value of MIHARU_TOKEN>" if token_from(os.environ) else token_for(monitor.config.database)
    scheme = "http" if host == "localhost" or is_loopback(host) else "miharu+http"
    return f"{scheme}://{token}@{_name(host, socket.gethostname())}:{port}"


def _name(host: str, everywhere: str) -> str:
    if host in {"", "0.0.0.0", "::"}:  # noqa: S104 - the user's choice
        return everywhere
    return f"[{host}]" if ":" in host else host


def _open(address: str) -> None:
    # Some browsers return only when they are closed.
    threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65535:  # the resolver would take the remainder
        raise MiharuError(f"{port} is not a valid port: choose one from 0 to 65535 with --port.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise MiharuError(
            f"Cannot listen on {host!r}, port {port}: {error}. Choose with --host and --port."
        ) from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(
                f"Port {port} on {host} is in use, perhaps by another miharu dashboard. "
                "Choose a free one with --port."
            ) from error
        raise MiharuError(
            f"Cannot listen on {host}, port {port}: {error.strerror}. Choose with --host and --port."
        ) from error
    return listener
