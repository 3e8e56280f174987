"""A way to a server that can be frozen, cut and led to another one, as networks and load balancers do."""

import select
import socket
import threading
from contextlib import closing, suppress

__all__ = ("Wire",)


class Wire:
    """Forwards connections on loopback."""

    def __init__(self, port: int) -> None:
        """Open it.

        Args:
            port: Of the server.
        """
        self.target = port
        self.goes = threading.Event()
        """Cleared, nothing is forwarded, and nobody is told."""
        self.goes.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._closed = False
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def cut(self) -> None:
        """End all connections that there are."""
        for one in list(self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._closed = True
        self.goes.set()
        self.cut()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while not self._closed:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,)).start()

    def _serve(self, client: socket.socket) -> None:
        with (
            closing(client),
            suppress(OSError),
            socket.create_connection(("127.0.0.1", self.target)) as server,
        ):
            self._open |= {client, server}
            try:
                self._forward(client, server)
            finally:
                self._open -= {client, server}

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        other = {client: server, server: client}
        while True:
            for one in select.select(list(other), [], [])[0]:
                self.goes.wait()
                data = one.recv(1 << 16)
                if not data:
                    return
                other[one].sendall(data)
