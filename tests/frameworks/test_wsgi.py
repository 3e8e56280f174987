"""Frameworks and servers of WSGI: each call has its route, or none where Python loses the context."""

import http.client
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

pytest.importorskip(
    "waitress", reason="the frameworks have an environment of their own: requirements/frameworks.txt"
)

from miharu.testing import FakeProvider
from tests.calls import rows
from tests.doors.serving import free_port, running
from tests.doors.wsgi_matrix import SERVERS
from tests.frameworks.serving import environment
from tests.hosts.conftest import eventually

PLACES = {
    "view": "/view/{place}/{key}",
    "stated": "/view/{place}/{key}",
    "copied": "/view/{place}/{key}",
    "pool": None,
    "thread": None,
    "stream": "/stream/{key}",
    "before": "/before/{key}",
    "mounted": "/mounted/{key}",
}
"""The route that is to be stored; ``None`` where Python loses the context."""
FRAMEWORKS = ("flask", "django_app", "bottle_app", "pyramid_app", "falcon_app", "unknown")
LONG = " ".join(["word"] * 2000)


def path_of(place: str) -> str:
    template = PLACES[place] or PLACES["view"]
    assert template
    return template.format(place=place, key=4711)


@contextmanager
def serving(app: str, server: str, database: Path, provider: FakeProvider) -> Iterator[str]:
    """The address of the app, until the end of the block."""
    port = free_port()
    command = [part.format(port=port) for part in SERVERS[server].command]
    environ = environment(database, provider.base_url)
    address = f"http://127.0.0.1:{port}"
    with running([*command, f"tests.frameworks.apps.wsgi:{app}"], environ, address) as served:
        yield served.address
        served.end()
        assert "Traceback" not in served.log, served.log


def visit(address: str) -> None:
    with httpx2.Client(base_url=address, trust_env=False, timeout=60) as client:
        for place in PLACES:
            headers = {"x-request-id": f"request-{place}", "traceparent": f"00-{'1' * 32}-{'2' * 16}-01"}
            client.get(path_of(place), headers=headers).raise_for_status()
        # the threads that have served somebody serve somebody else
        for _ in range(8):
            client.get("/view/view/4712").raise_for_status()
        assert "miharu" in client.get("/miharu/").raise_for_status().text


def stored(database: Path) -> list[dict[str, Any]]:
    """What is stored by now."""
    try:
        return rows(database)
    except sqlite3.OperationalError:  # it is just being made
        return []


def judge(found: list[dict[str, Any]], framework: str) -> None:
    by_model = {
        row["model"]: row for row in found if row["host_request_id"] or row["model"] in {"pool", "thread"}
    }
    assert len(found) == len(PLACES) + 8
    for place, template in PLACES.items():
        row = by_model[place]
        if template is None:
            assert (row["route"], row["host_request_id"]) == (None, None), place
            continue
        route = path_of(place).replace("4711", "{}") if framework == "unknown" else template
        assert (row["route"], row["host_request_id"]) == (f"GET {route}", f"request-{place}")
        assert (row["trace_id"], row["parent_id"]) == ("1" * 32, "2" * 16)
    users = [(row["model"], row["user_id"], row["session_id"]) for row in found if row["user_id"]]
    assert users == [("stated", "ann", "s-1")], "what was stated plainly ends with its request"


@pytest.mark.full
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_call_has_its_route_in_each_framework(framework: str, tmp_path: Path) -> None:
    database = tmp_path / "calls.db"
    with FakeProvider() as provider, serving(framework, "waitress", database, provider) as address:
        visit(address)
    judge(rows(database), framework)


@pytest.mark.full
@pytest.mark.parametrize("server", [name for name in SERVERS if name != "waitress"])
def test_a_call_has_its_route_on_each_server(server: str, tmp_path: Path) -> None:
    database = tmp_path / "calls.db"
    with FakeProvider() as provider, serving("flask", server, database, provider) as address:
        visit(address)
    judge(rows(database), "flask")


@pytest.mark.full
@pytest.mark.parametrize("server", SERVERS)
def test_a_visitor_who_leaves_is_noticed(server: str, tmp_path: Path) -> None:
    """A call whose answer was streamed to a visitor who has gone is cancelled, and says why."""
    database = tmp_path / "calls.db"
    with (
        FakeProvider(answer=LONG, chunk_latency=0.01) as provider,
        serving("flask", server, database, provider) as address,
    ):
        where = urlsplit(address)
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
        connection.request("GET", "/endless/4711")
        answer = connection.getresponse()
        assert answer.read(8)
        # a reset, so that the next write fails: a mere end would let the server write for a while
        buffered: Any = answer.fp
        raw = connection.sock or buffered.raw._sock
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        raw.close()
        answer.close()
        connection.close()
        with httpx2.Client(base_url=address, trust_env=False, timeout=60) as client:
            client.get("/view/view/4712").raise_for_status()
        # a server that ends at once would take the call with it
        eventually(lambda: "endless" in {row["model"] for row in stored(database)}, 60)
    found = {row["model"]: row for row in rows(database)}
    assert found["endless"]["route"] == "GET /endless/{key}"
    assert (found["endless"]["status"], found["endless"]["error_type"]) == (
        "cancelled",
        "client_disconnected",
    )
    assert found["view"]["status"] == "success"


@pytest.mark.full
def test_workers_of_uwsgi_begin_where_its_first_process_has_started_miharu(tmp_path: Path) -> None:
    """It forks while threads run: one that held the interpreter's lock then would hold it for ever."""
    database, port = tmp_path / "calls.db", free_port()
    address = f"http://127.0.0.1:{port}"
    command = ["tests.doors.serving_uwsgi", "--http-socket", f"127.0.0.1:{port}", "--master"]
    command += ["--enable-threads", "--processes", "2", "--die-on-term", "--need-app"]
    command += ["--add-header", "Connection: close", "--module", "tests.frameworks.apps.started:app"]
    with FakeProvider() as provider:
        environ = environment(database, provider.base_url)
        with (
            running(command, environ, address),
            httpx2.Client(base_url=address, trust_env=False, timeout=60) as client,
        ):
            workers = {client.get("/").raise_for_status().text for _ in range(30)}
            eventually(lambda: len(stored(database)) >= 30, 60)
    assert len(workers) == 2
    assert len(rows(database)) == 30


@pytest.mark.full
def test_apps_below_a_dispatcher(tmp_path: Path) -> None:
    database = tmp_path / "calls.db"
    with (
        FakeProvider() as provider,
        serving("dispatched", "waitress", database, provider) as address,
        httpx2.Client(base_url=address, trust_env=False, timeout=60) as client,
    ):
        for mount in ("/flask", "/django", "/bottle", "/falcon", ""):
            client.get(f"{mount}/view/view/4711").raise_for_status()
    assert [row["route"] for row in rows(database)] == [
        "GET /flask/view/{place}/{key}",
        "GET /django/view/{place}/{key}",
        "GET /bottle/view/{place}/{key}",
        "GET /falcon/view/{place}/{key}",
        "GET /view/view/{}",
    ]
