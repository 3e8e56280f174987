"""A database with a secret in it, doors that show it, and somebody who speaks HTTP to them word by word."""

import asyncio
import os
import pty
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from miharu.batch import Batch
from miharu.call import Body, Call, Outcome, new_id
from miharu.stores.sqlite import SQLiteStore
from miharu.testing.open_store import both
from tests.doors.serving import SERVERS, Served, environment, running, serving

__all__ = ("AT", "DOORS", "SECRET", "Answer", "Door", "ask", "fill", "installed", "open_door", "raw")

SECRET = "the-secret-4711"
AT = {"mount": "/miharu/", "middleware": "/miharu/", "standalone": "/"}
DOORS = tuple(AT)


@dataclass(frozen=True)
class Door:
    """A dashboard that listens."""

    served: Served
    at: str
    """Its path, with a slash at both ends."""

    @property
    def address(self) -> str:
        return self.served.address

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    @property
    def url(self) -> str:
        return self.address + self.at


@dataclass(frozen=True)
class Answer:
    """A response, word by word."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    @property
    def tells(self) -> bool:
        """Whether it gives the secret away."""
        return SECRET.encode() in self.body or any(SECRET in value for _, value in self.headers)


def fill(file: Path) -> None:
    """One call whose every text is a secret; from a thread, for there may be a loop of Playwright's here."""

    async def store_it() -> None:
        store = both(SQLiteStore(f"sqlite+aiosqlite:///{file}"))
        await store.open()
        now = time.time_ns() // 1_000_000
        call = Call(
            id=new_id(now),
            timestamp=now,
            api="openai.chat",
            outcome=Outcome(status="error", error_type=SECRET, error_message=SECRET),
            **dict.fromkeys(
                ("model", "request_model", "provider", "host", "route", "user_id", "session_id"), SECRET
            ),  # type: ignore[arg-type]
            body=Body(request=SECRET.encode(), response=SECRET.encode()),
        )
        await store.add(Batch(calls=[call]))
        await store.close()

    thread = threading.Thread(target=lambda: asyncio.run(store_it()))
    thread.start()
    thread.join()


@contextmanager
def open_door(name: str, database: Path, server: str = "uvicorn (h11)", **environ: str) -> Iterator[Door]:
    """One of ``DOORS``, or another app of ``hosts.py``, in a process that has a terminal."""
    surroundings = environment(database, COLUMNS="500", **environ)
    for platform in ("CODESPACES", "KUBERNETES_SERVICE_HOST"):
        surroundings.pop(platform, None)
    with ExitStack() as stack:
        said, terminal = stack.enter_context(_terminal())
        if name == "standalone":
            command = ["miharu", "dashboard", "--database", str(database), "--port", "0"]
            served = stack.enter_context(running(command, surroundings, stderr=terminal))
        else:
            app = f"tests.security.hosts:{name}"
            served = stack.enter_context(serving(app, server, surroundings, stderr=terminal))
        served.said.append("")
        served.errors = said
        yield Door(served, AT.get(name, "/miharu/"))


@contextmanager
def _terminal() -> Iterator[tuple[list[str], int]]:
    """What is written to it, and the end to write to."""
    said: list[str] = []
    ours, theirs = pty.openpty()

    def listen() -> None:
        with suppress(OSError):  # the other end is closed
            while chunk := os.read(ours, 65536):
                said.append(chunk.decode(errors="replace"))

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        yield said, theirs
    finally:
        os.close(theirs)
        thread.join()
        os.close(ours)


def installed() -> list[str]:
    """The servers that are there."""
    return [
        name
        for name, server in SERVERS.items()
        if not server.http2
        and find_spec(server.command[0])
        and ("httptools" not in name or find_spec("httptools"))
    ]


def ask(door: Door, path: str = "", /, method: str = "GET", **headers: str) -> Answer:
    """Ask for a path below the dashboard; ``x_user`` becomes ``x-user``."""
    named = {"host": f"localhost:{door.port}"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return raw(door, f"{method} {door.at}{path} HTTP/1.1\r\n{lines}connection: close\r\n\r\n".encode())


def raw(door: Door, request: bytes) -> Answer:
    """Say just these bytes, and hear what comes back; status 0 where nothing does."""
    with socket.create_connection(("127.0.0.1", door.port), 30) as connection:
        heard = b""
        with suppress(OSError):  # the other side may have enough before we have said everything
            connection.sendall(request)
        with suppress(OSError):
            while chunk := connection.recv(65536):
                heard += chunk
                if _is_whole(heard):
                    break
    return _parsed(heard)


def _is_whole(heard: bytes) -> bool:
    head, end, body = heard.partition(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: (\d+)", head, re.IGNORECASE)
    return bool(end and length and len(body) >= int(length[1]))


def _parsed(heard: bytes) -> Answer:
    head, _, body = heard.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    headers = tuple((name.lower(), value.strip()) for name, _, value in pairs)
    return Answer(int(first.split(" ")[1]) if " " in first else 0, headers, body)
