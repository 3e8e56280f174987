"""One request to another miharu, by the standard library's client.

No hook of ours watches that client, and it costs a program next to nothing to import. A request runs on a
thread of its own, so that the recorder can look after what waits meanwhile.
"""

import http.client
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from miharu._version import __version__
from miharu.stores.remote.address import Address

__all__ = ("TIMEOUT_S", "Answer", "Connection")

TIMEOUT_S = 30.0
"""How long it may take to connect, and then to answer."""
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
        self._client: http.client.HTTPConnection | None = None
        self._context: ssl.SSLContext | None = None

    def post(self, path: str, body: bytes, kind: str) -> Answer:
        """The answer to a POST, for the recorder's thread.

        Raises:
            OSError, http.client.HTTPException: There is none.
        """
        work = _Work(lambda: self.post_here(path, body, kind))
        try:
            threading.Thread(target=work, name="miharu-sending", daemon=True).start()
        except RuntimeError:  # the program is ending, and starts no thread any more
            work()
        while not work.done.wait(SLICE_S):
            self._meanwhile()
        return work.result()

    def post_here(self, path: str, body: bytes, kind: str) -> Answer:
        """The same, on the caller's own thread.

        Raises:
            OSError, http.client.HTTPException: There is no answer.
        """
        kept = self._client is not None
        try:
            return self._tried(path, body, kind)
        except (ConnectionError, http.client.HTTPException):
            if not kept:  # else the other side has closed a connection that was idle
                raise
            return self._tried(path, body, kind)

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _tried(self, path: str, body: bytes, kind: str) -> Answer:
        try:
            client = self._client = self._client or self._made()
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
            if response.will_close or not response.isclosed():
                self.close()
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
        if self._context is None:
            self._context = ssl.create_default_context()
        return http.client.HTTPSConnection(
            address.host, address.port, timeout=TIMEOUT_S, context=self._context
        )


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
