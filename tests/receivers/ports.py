"""A port of this machine that a server may take."""

import socket

__all__ = ("free_port",)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
