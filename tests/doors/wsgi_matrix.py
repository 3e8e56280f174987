"""The doors of WSGI, the servers, what is tried at each, and the table of what was seen."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.doors.matrix import PAGE
from tests.doors.visitor import DASHBOARD

__all__ = ("CASES", "DOORS", "SEEN", "SERVERS", "Door", "Server", "Table", "packages", "page")

SEEN = Path(__file__).parent / "seen_wsgi.json"
_BEGIN, _END = "<!-- wsgi table -->\n", "<!-- /wsgi table -->\n"


@dataclass(frozen=True)
class Server:
    """How one is started, as a module of Python's."""

    command: tuple[str, ...]
    at_once: bool = True
    """Whether it answers several requests at the same time."""


@dataclass(frozen=True)
class Door:
    """A host and the place of the dashboard in it."""

    app: str
    at: str = "/miharu"

    def checks(self, server: str) -> list[str]:
        streams = ["stream"] if SERVERS[server].at_once else []
        return [*DASHBOARD, "host", *streams, "untouched"]


_GUNICORN = ("gunicorn", "-b", "127.0.0.1:{port}", "--log-level", "warning")
SERVERS = {
    "wsgiref": Server(("tests.doors.serving_wsgiref", "{port}"), at_once=False),
    "werkzeug": Server(("tests.doors.serving_werkzeug", "{port}")),
    "gunicorn, sync": Server(_GUNICORN, at_once=False),
    "gunicorn, gthread": Server((*_GUNICORN, "-k", "gthread", "--threads", "4")),
    "gunicorn, gevent": Server((*_GUNICORN, "-k", "gevent")),
    "waitress": Server(("waitress", "--listen", "127.0.0.1:{port}")),
    "uWSGI": Server(
        (
            *("tests.doors.serving_uwsgi", "--http-socket", "127.0.0.1:{port}", "--master", "--lazy-apps"),
            # it closes each connection, and says so only if it is told to
            *("--add-header", "Connection: close", "--threads", "4", "--processes", "1"),
            *("--die-on-term", "--need-app", "--module"),
        )
    ),
}
DOORS = {
    "Flask, `app.wsgi_app = MiharuWsgiMiddleware(app.wsgi_app)`": Door("flask"),
    "Flask in a `DispatcherMiddleware`": Door("flask_mounted"),
    "Django, `MiharuWsgiMiddleware(get_wsgi_application())`": Door("django_app"),
    "Bottle": Door("bottle_app"),
    "Pyramid": Door("pyramid_app"),
    "Falcon": Door("falcon_app"),
    "plain WSGI, a path of its own": Door("plain", at="/_ops/llm"),
}
_EACH, _ONE = next(iter(DOORS)), "gunicorn, gthread"
CASES = [
    *((_EACH, server) for server in SERVERS),
    *((door, _ONE) for door in DOORS if door != _EACH),
]
"""One framework on each server, and each framework on one."""


def packages() -> tuple[str, ...]:
    return (
        "flask",
        "django",
        "bottle",
        "pyramid",
        "falcon",
        "werkzeug",
        "gunicorn",
        "gevent",
        "waitress",
        "pyuwsgi",
    )


class Table:
    """Notes what a run has seen, and puts it in the place of what an earlier one has."""

    def __init__(self) -> None:
        self._wrong: dict[tuple[str, str], list[str]] = {}

    def note(self, door: str, server: str, wrong: list[str]) -> None:
        self._wrong[door, server] = wrong

    def save(self, versions: Mapping[str, str]) -> None:
        seen = json.loads(SEEN.read_text()) if SEEN.exists() else {}
        earlier = seen["cells"] if seen.get("versions") == versions else []
        wrong = {(cell["door"], cell["server"]): cell["wrong"] for cell in earlier} | self._wrong
        cells = (
            {"door": case[0], "server": case[1], "wrong": wrong[case]} for case in CASES if case in wrong
        )
        lines = ",\n".join(json.dumps(cell, ensure_ascii=False) for cell in cells)
        SEEN.write_text(f'{{"versions": {json.dumps(versions)},\n"cells": [\n{lines}\n]}}\n')


def page(text: str | None = None) -> str:
    """``docs/doors.md`` with the table of what was seen."""
    head, _, rest = (PAGE.read_text() if text is None else text).partition(_BEGIN)
    return head + _BEGIN + _table() + _END + rest.partition(_END)[2]


def _table() -> str:
    seen = json.loads(SEEN.read_text())
    cells = {(cell["door"], cell["server"]): cell["wrong"] for cell in seen["cells"]}
    lines = ["| app | server | |", "|---|---|---|"]
    for door, server in CASES:
        wrong = cells[door, server]
        lines.append(f"| {door} | {server} | {', '.join(wrong) or 'yes'} |")
    versions = ", ".join(f"{name} {version}" for name, version in seen["versions"].items())
    return "\n".join(lines) + f"\n\nVersions: {versions}.\n"
