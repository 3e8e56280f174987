"""One request to another miharu, by the standard library's client.

No hook of ours watches that client, and it costs a program next to nothing to import. A request runs on a
thread of its own, so that the recorder can look after what waits meanwhile.
"""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from miharu._version import __version__
from miharu.stores.remote.address import Address

__all__ = ("TIMEOUT_S", "Answer", "Connection")

TIMEOUT_S = 30.0
"""How long it may take to connect, and then to send each piece of an answer."""
WHOLE_S = 120.0
"""How long a request may take in all: an answer may come byte by byte, and never end."""
LARGEST_ANSWER = 8 << 20
SLICE_S = 0.1


@dataclass(frozen=True, slots=True)
class Answer:
    """What it answered."""

    status: int
    body: bytes
    is_miharu: bool
    """Whether a miharu has answered, and no proxy before it."""
    location: str | None = None


class Connection:
    """Keeps one connection open between requests; for one thread at a time."""

    def __init__(self, address: Address, meanwhile: Callable[[], object] = bool) -> None:
        """Prepare; nothing is opened yet.

        Args:
            address: Of the other one.
            meanwhile: Called about ten times a second while a request takes its time.
        """
        self._address = address
        self._meanwhile = meanwhile
        self._line = _Line(address)

    def post(self, path: str, body: bytes, kind: str) -> Answer:
        """The answer to a POST.

        Raises:
            OSError, http.client.HTTPException: There is none, or not within ``WHOLE_S``.
        """
        line, until = self._line, time.monotonic() + WHOLE_S
        work = _Work(lambda: line.post(path, body, kind))
        try:
            threading.Thread(target=work, name="miharu-sending", daemon=True).start()
        except RuntimeError:  # the program is ending, and starts no thread any more
            work()
        while not work.done.wait(SLICE_S):
            if time.monotonic() >= until:
                self._line = _Line(self._address)
                line.abandon()
                raise TimeoutError
            self._meanwhile()
        return work.result()

    def close(self) -> None:
        self._line.close()


class _Line:
    """The connection itself, for one thread at a time; another may only abandon it."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._client: http.client.HTTPConnection | None = None
        self._context: ssl.SSLContext | None = None
        self._socket: socket.socket | None = None
        """The client's, which it lets go of before its answer is read."""
        self._abandoned = False

    def post(self, path: str, body: bytes, kind: str) -> Answer:
        kept = self._client is not None
        try:
            return self._tried(path, body, kind)
        except (ConnectionError, http.client.HTTPException):
            if not kept or self._abandoned:  # else the other side has closed a connection that was idle
                raise
            return self._tried(path, body, kind)

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def abandon(self) -> None:
        """Let what its thread waits for fail, so that the thread ends."""
        self._abandoned = True
        if self._socket is not None:
            with suppress(OSError):  # past TLS, which that thread may be using
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def _tried(self, path: str, body: bytes, kind: str) -> Answer:
        try:
            client = self._client = self._client or self._made()
            if client.sock is None:
                client.connect()
            self._socket = client.sock
            with suppress(BrokenPipeError, ConnectionResetError):  # it may have answered before all was sent
                client.request("POST", self._address.base + path, body, self._headers(kind))
            response = client.getresponse()
            content = response.read(LARGEST_ANSWER)
            answer = Answer(
                response.status,
                content,
                response.getheader("Miharu-Form") is not None,
                response.getheader("Location"),
            )
            if response.will_close or not response.isclosed() or self._abandoned:
                self.close()
        except OSError:  # also a certificate's, which is a ValueError as well
            self.close()
            raise
        except ValueError as error:  # of a name or a header that cannot be; its words may repeat the token
            self.close()
            raise http.client.InvalidURL(type(error).__name__) from None
        except BaseException:
            self.close()
            raise
        return answer

    def _headers(self, kind: str) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self._address.token}",
            "Content-Type": kind,
            "User-Agent": f"miharu/{__version__}",
        }

    def _made(self) -> http.client.HTTPConnection:
        address = self._address
        if not address.secure:
            return http.client.HTTPConnection(address.host, address.port, timeout=TIMEOUT_S)
        context = self._context = self._context or ssl.create_default_context()
        return http.client.HTTPSConnection(address.host, address.port, timeout=TIMEOUT_S, context=context)


class _Work:
    """A function that one thread runs and another waits for."""

    def __init__(self, function: Callable[[], Answer]) -> None:
        self.done = threading.Event()
        self._function = function
        self._answer: Answer | None = None
        self._error: BaseException | None = None

    def __call__(self) -> None:
        try:
            self._answer = self._function()
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            self._error = error
        finally:
            self.done.set()

    def result(self) -> Answer:
        if self._error is not None:
            raise self._error
        assert self._answer is not None
        return self._answer
