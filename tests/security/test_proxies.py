"""A proxy in front: every visitor seems to come from this machine."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.doors.serving import free_port, stripping_proxy
from tests.security.conftest import ONE_DOOR
from tests.security.world import Answer, Door, ask, open_door, raw

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
with_nginx = pytest.mark.skipif(NGINX is None, reason="nginx is not installed; scripts/test installs it")
as_root = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root can run nginx as another user"
)
OLD = ""
NEW = 'proxy_http_version 1.1; proxy_set_header Connection "";'
CONFIGURATION = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log; {user}
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
    uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
    server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://127.0.0.1:{upstream}; {how} }} }}
}}
"""


@contextmanager
def nginx(door: Door, folder: Path, how: str, user: str = "") -> Iterator[Door]:
    """The door as the world sees it."""
    port = free_port()
    file = folder / "nginx.conf"
    folder.chmod(0o755)
    file.write_text(CONFIGURATION.format(folder=folder, port=port, upstream=door.port, how=how, user=user))
    process = subprocess.Popen([str(NGINX), "-c", str(file), "-e", str(folder / "error.log")])
    try:
        while process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), 5).close()
            except OSError:
                time.sleep(0.01)
                continue
            break
        assert process.poll() is None, (folder / "error.log").read_text()
        outside = type(door.served)(f"http://127.0.0.1:{port}", door.served.process)
        yield Door(outside, door.at)
    finally:
        process.terminate()
        process.wait(20)


def visit(outside: Door, **headers: str) -> Answer:
    """As a browser of somebody far away asks."""
    return ask(outside, host="llm.example", user_agent="Mozilla/5.0", **headers)


@with_nginx
@pytest.mark.parametrize("name", ONE_DOOR)
def test_a_bare_nginx_is_known_by_its_old_http(name: str, filled: Path, tmp_path: Path) -> None:
    """``proxy_pass`` and nothing else: a loopback client, a local Host, no header."""
    with open_door(name, filled) as door, nginx(door, tmp_path, OLD) as outside:
        assert ask(door).tells
        assert (visit(outside).status, visit(outside).tells) == (403, False)
        assert ask(door).status == 403  # from now on nobody is taken for local


@with_nginx
@as_root
@pytest.mark.parametrize("name", ONE_DOOR)
def test_a_bare_new_nginx_is_known_by_its_account(name: str, filled: Path, tmp_path: Path) -> None:
    """nginx speaks HTTP/1.1 by itself since 1.29.7; then nothing in the request tells it from a browser."""
    with open_door(name, filled) as door, nginx(door, tmp_path, NEW, "user nobody nogroup;") as outside:
        assert ask(door).tells
        assert (visit(outside).status, visit(outside).tells) == (403, False)
        assert ask(door).tells


@with_nginx
@pytest.mark.parametrize("name", ONE_DOOR)
def test_a_bare_new_nginx_is_known_by_what_browsers_say(name: str, filled: Path, tmp_path: Path) -> None:
    """The first request that comes from a page of the site names the site."""
    with open_door(name, filled) as door, nginx(door, tmp_path, NEW) as outside:
        assert ask(door).tells
        answer = visit(outside, referer="https://llm.example/chat", sec_fetch_site="same-origin")
        assert (answer.status, answer.tells) == (403, False)
        assert (visit(outside).status, ask(door).status) == (403, 403)


def test_a_proxy_that_adds_nothing_is_known_by_the_name_that_it_passes_on(filled: Path) -> None:
    with open_door("mount", filled) as door, stripping_proxy(door.address, "") as outside:
        beyond = Door(type(door.served)(outside, door.served.process), door.at)
        assert ask(door).tells
        assert ask(beyond).tells  # as one that a developer starts before his own program
        assert (visit(beyond).status, visit(beyond).tells) == (403, False)
        answer = visit(beyond, x_forwarded_host="localhost", sec_fetch_site="none")
        assert (answer.status, answer.tells) == (403, False)


@with_nginx
@pytest.mark.parametrize(
    "how",
    [
        f"{NEW} proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
        *(
            pytest.param(f"{NEW} proxy_set_header {header};", marks=pytest.mark.full)
            for header in (
                "X-Real-IP $remote_addr",
                "Forwarded for=$remote_addr",
                "X-Forwarded-Proto $scheme",
            )
        ),
        f"{NEW} proxy_set_header Host $host;",
    ],
)
def test_a_proxy_that_says_anything_is_known(how: str, filled: Path, tmp_path: Path) -> None:
    with open_door("mount", filled) as door, nginx(door, tmp_path, how) as outside:
        assert ask(door).tells
        assert (visit(outside).status, visit(outside).tells) == (403, False)


@pytest.mark.parametrize("server", ["uvicorn (h11)", "granian", "hypercorn, asyncio"])
@pytest.mark.parametrize(
    "sent",
    [
        "GET {at} HTTP/1.0\r\nhost: localhost:{port}\r\n",
        "GET {at} HTTP/1.1\r\nhost: localhost:{port}\r\nx-forwarded-for: testclient:50000\r\n",
        *(
            pytest.param(
                f"GET {{at}} HTTP/1.1\r\nhost: localhost:{{port}}\r\n{header}\r\n", marks=pytest.mark.full
            )
            for header in (
                "x-forwarded-for: testclient",
                "x-forwarded-for: 127.0.0.1",
                "VIA: 1.1 a",
                "forwarded: for=localhost",
            )
        ),
    ],
)
def test_each_server_lets_it_be_known(server: str, sent: str, filled: Path) -> None:
    """uvicorn puts a forwarded address in the place of the visitor's; granian calls HTTP/1.0 ``1``."""
    pytest.importorskip(server.partition(" ")[0].rstrip(","))
    with open_door("mount", filled, server) as door:
        assert ask(door).tells
        answer = raw(door, (sent.format(at=door.at, port=door.port) + "connection: close\r\n\r\n").encode())
        assert (answer.status, answer.tells) == (403, False)
        assert ask(door).status == 403


@pytest.mark.parametrize("name", ["mount", "middleware"])
def test_a_service_has_no_terminal(name: str, filled: Path) -> None:
    """Behind whatever it stands, and however it is started."""
    from tests.doors.serving import environment, serving

    environ = environment(filled)
    with serving(f"tests.security.hosts:{name}", "uvicorn (h11)", environ) as served:
        assert ask(Door(served, "/miharu/")).status == 403
    with open_door(name, filled, APP_ENV="production") as door:
        assert ask(door).status == 403


CLIENT = """
import encodings.idna, http.client, os, sys
os.setuid(65534)
connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
connection.request("GET", sys.argv[2], headers={"Host": f"localhost:{sys.argv[1]}"})
answer = connection.getresponse()
print(answer.status, sys.argv[3] in answer.read().decode())
"""


@as_root
@pytest.mark.parametrize("name", ONE_DOOR)
def test_another_user_of_the_machine_is_no_local_visitor(name: str, filled: Path) -> None:
    from tests.security.world import SECRET

    with open_door(name, filled) as door:
        assert ask(door).tells
        command = [sys.executable, "-c", CLIENT, str(door.port), door.at, SECRET]
        said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        assert said.stdout.split() == ["403", "False"]
