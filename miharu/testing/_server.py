"""An ASGI app on a port of its own, in a thread, for as long as a ``with`` lasts."""

import logging
import socket
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

App = Callable[[Any, Any, Any], Awaitable[None]]

_quiet = logging.getLogger("miharu.testing.server")
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False


def settings_of(url: str) -> dict[str, str]:
    """By which environment variables each SDK finds a provider there."""
    return {
        "OPENAI_BASE_URL": f"{url}/v1",
        "OPENAI_API_KEY": "any",
        "AZURE_OPENAI_ENDPOINT": url,
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_KEY": "any",
        "GOOGLE_GEMINI_BASE_URL": url,
        "GEMINI_API_KEY": "any",
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": url,
    }


class _Protocol(H11Protocol):
    """Logs nothing where a response breaks off, which is on purpose here."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.logger = _quiet


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


class ServerThread:
    """Serves the app on 127.0.0.1, at a port that was free."""

    def __init__(self, app: App, port: int = 0) -> None:
        # asyncio switches Nagle's delay of 40 ms off for sockets that say they are TCP
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind(("127.0.0.1", port))
        except OSError:
            self._socket.close()
            raise
        self.port: int = self._socket.getsockname()[1]
        # No logging of its own: the loggers of uvicorn are the host program's.
        config = uvicorn.Config(
            app,
            http=_Protocol,
            ws="auto",  # with one of the libraries that uvicorn knows; else only HTTP is served
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
        )
        self._server = _Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="miharu-fake", daemon=True
        )

    def start(self) -> None:
        """Start the server; returns once it answers."""
        self._thread.start()
        if not self._server.ready.wait(timeout=10):
            self.stop()
            raise RuntimeError("The server did not start within ten seconds.")

    def stop(self) -> None:
        """Stop the server, without waiting for requests that are under way."""
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(timeout=10)
        self._socket.close()
