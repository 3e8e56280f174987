"""No traffic leaves the machine: every host name means this machine, and nothing else can be reached.

So an SDK can be given a provider's real name, by which miharu knows who answers.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

__all__ = ("kept_here",)


@contextmanager
def kept_here() -> Iterator[None]:
    """For as long as this lasts."""
    resolve, connect, connect_ex = socket.getaddrinfo, socket.socket.connect, socket.socket.connect_ex

    def getaddrinfo(host: Any, *args: Any, **options: Any) -> Any:
        return resolve("127.0.0.1", *args, **options)

    def checked(method: Any) -> Any:
        def call(self: socket.socket, address: Any) -> Any:
            if self.family in {socket.AF_INET, socket.AF_INET6} and address[0] != "127.0.0.1":
                raise AssertionError(f"{address} is not on this machine")
            return method(self, address)

        return call

    with (
        mock.patch.object(socket, "getaddrinfo", getaddrinfo),
        mock.patch.object(socket.socket, "connect", checked(connect)),
        mock.patch.object(socket.socket, "connect_ex", checked(connect_ex)),
    ):
        yield
