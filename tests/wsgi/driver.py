"""A server of WSGI without a socket, as strict as ``wsgiref.validate``."""

import io
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from wsgiref.validate import validator

from tests.asgi import driver

__all__ = ("StandIn", "ask", "environ_of", "steps_of")

StandIn = driver.StandIn


@dataclass
class Answer(driver.Answer):
    """What a server has sent."""

    written: list[bytes] = field(default_factory=list)


def environ_of(path: str = "/", /, **more: Any) -> dict[str, Any]:
    """The environ of a local browser, as wsgiref's server makes it; ``None`` leaves a key out."""
    path, _, query = path.partition("?")
    environ = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SOFTWARE": "WSGIServer/0.2",
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_PORT": "5000",
        "HTTP_HOST": "localhost:8000",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    } | more
    return {name: value for name, value in environ.items() if value is not None}


def steps_of(answered: Iterable[bytes]) -> bytes:
    """All of it, and closed."""
    try:
        return b"".join(answered)
    finally:
        close = getattr(answered, "close", None)
        if close is not None:
            close()


def ask(app: Any, path: str = "/", /, **more: Any) -> Answer:
    """Ask under the eyes of ``wsgiref.validate``."""
    answer = Answer()

    def start_response(
        status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], object]:
        answer.status = int(status.split(" ", maxsplit=1)[0])
        answer.headers = {name.lower(): value for name, value in headers}
        assert len(answer.headers) == len(headers)
        return answer.written.append

    answered = validator(app)(environ_of(path, **more), start_response)
    body = steps_of(answered)
    answer.body = b"".join(answer.written) + body
    return answer
