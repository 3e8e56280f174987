"""Whose process asks, as the kernel tells it."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from miharu.dashboard.access.local_user import is_strangers
from miharu.dashboard.access.socket_owners import End

NOBODY = 65534
CLIENT = """
import encodings.idna, os, socket, sys
os.setuid(int(sys.argv[1]))
client = socket.create_connection(("127.0.0.1", int(sys.argv[2])), source_address=(sys.argv[3], 0))
if sys.argv[4] == "half":
    client.shutdown(socket.SHUT_WR)
print("connected", flush=True)
sys.stdin.read()
"""
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
as_root = pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can be anybody")
ME = os.geteuid() if hasattr(os, "geteuid") else 0


@contextmanager
def visit(
    uid: int, address: str = "127.0.0.1", how: str = "whole", listening: str = "127.0.0.1"
) -> Iterator[Any]:
    """The scope of a visit by a process of that user."""
    six = ":" in listening
    family = socket.AF_INET6 if six else socket.AF_INET
    with socket.create_server((listening, 0), family=family, dualstack_ipv6=six) as server:
        server.settimeout(30)
        command = [sys.executable, "-c", CLIENT, str(uid), str(server.getsockname()[1]), address, how]
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert child.stdout is not None
        try:
            connection, peer = server.accept()
            with connection:
                assert child.stdout.readline() == b"connected\n"
                yield {"client": peer[:2], "server": connection.getsockname()[:2]}
        finally:
            child.communicate()


@on_linux
@as_root
@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.1"])
@pytest.mark.parametrize("how", ["whole", "half"])
@pytest.mark.parametrize("listening", ["127.0.0.1", "::"])
def test_another_users_process_is_a_strangers(address: str, how: str, listening: str) -> None:
    with visit(NOBODY, address, how, listening) as scope:
        assert is_strangers(scope)


@on_linux
def test_ones_own_process_is_not() -> None:
    with visit(ME) as scope:
        assert not is_strangers(scope)


HERE = {"client": ("127.0.0.1", 5000), "server": ("127.0.0.1", 8000)}
OTHERS = ME + 1


def asking(owner: int | None, scope: Any = HERE, environ: Mapping[str, str] | None = None) -> bool:
    return is_strangers(scope, lambda far, near: owner, lambda far, port: set(), environ or {})


def test_root_and_ones_own_user_are_no_strangers() -> None:
    assert asking(OTHERS)
    assert not asking(ME)
    assert not asking(0)
    assert not asking(None)


@pytest.mark.parametrize(("user", "answer"), [(0, False), (1000, True)])
def test_whoever_has_started_it_by_sudo_is_none_either(
    user: int, answer: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user, raising=False)
    assert asking(1001, environ={"SUDO_UID": "1001"}) is answer
    assert asking(1002, environ={"SUDO_UID": "1001"})
    assert asking(1002, environ={"SUDO_UID": "no number"})


def test_files_are_read_only_where_the_kernel_does_not_answer() -> None:
    read = []

    def look_up(far: End, port: int) -> set[int]:
        read.append((str(far.ip), far.port, port))
        return {OTHERS}

    assert not is_strangers(HERE, lambda far, near: ME, look_up, {})
    assert read == []
    assert is_strangers(HERE, lambda far, near: None, look_up, {})
    assert read == [("127.0.0.1", 5000, 8000)]


@pytest.mark.parametrize(
    ("client", "server", "ends"),
    [
        (("127.0.0.1", "5000"), ("0.0.0.0", "8000"), ["0.0.0.0", "127.0.0.1"]),
        (("127.8.9.1", 5000), ("localhost", 8000), ["127.0.0.1", "127.8.9.1"]),
        (("::ffff:127.0.0.1", 5000), ("::ffff:127.0.0.1", 8000), ["127.0.0.1"]),
        (("::1", 5000), ("::", 8000), ["::", "::1"]),
    ],
)
def test_it_asks_for_each_end_that_ours_may_be(client: Any, server: Any, ends: list[str]) -> None:
    asked: list[str] = []

    def ask(far: End, near: End) -> None:
        assert (far.port, near.port) == (5000, 8000)
        asked.append(str(near.ip))

    assert not is_strangers({"client": client, "server": server}, ask, lambda far, port: set(), {})
    assert asked == ends


@pytest.mark.parametrize(
    "scope",
    [
        {"client": ("testclient", 50000), "server": ("testserver", 80)},
        {"client": None, "server": ("127.0.0.1", 8000)},
        {"client": ("127.0.0.1", 5000), "server": ("/run/app.sock", None)},
        {"client": ("127.0.0.1", 5000)},
        {"client": ("127.0.0.1", "no port"), "server": ("127.0.0.1", 8000)},
        {"client": ("127.0.0.1", 70000), "server": ("127.0.0.1", 8000)},
        {"client": ("127.0.0.1",), "server": ("127.0.0.1", 8000)},
        {},
    ],
)
def test_where_nobody_tells_nothing_is_known(scope: dict[str, Any]) -> None:
    assert not asking(OTHERS, scope)


def test_on_a_system_without_users_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "geteuid", raising=False)
    assert not asking(OTHERS)


UNNAMED = {"client": ("127.0.0.1", None), "server": ("0.0.0.0", 8000)}
"""As servers of WSGI give it that do not say from which port a visitor comes."""


@pytest.mark.parametrize(
    ("connected", "answer"),
    [(set(), False), ({ME}, False), ({ME, 0}, False), ({ME, OTHERS}, True), ({OTHERS}, True)],
)
def test_without_the_visitors_port_any_other_user_that_is_connected_may_be_it(
    connected: set[int], answer: bool
) -> None:
    asked: list[int] = []

    def look_at_all(port: int) -> set[int]:
        asked.append(port)
        return connected

    assert is_strangers(UNNAMED, environ={}, look_at_all=look_at_all) is answer
    assert asked == [8000]
    assert not is_strangers(UNNAMED | {"server": ("0.0.0.0", None)}, environ={}, look_at_all=look_at_all)


@on_linux
@as_root
@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.1"])
@pytest.mark.parametrize("listening", ["127.0.0.1", "::"])
def test_the_process_of_another_user_is_found_without_its_port(address: str, listening: str) -> None:
    with visit(NOBODY, address, "whole", listening) as scope:
        port = scope["server"][1]
        assert is_strangers({"client": (address, None), "server": ("0.0.0.0", port)})
        assert not is_strangers({"client": (address, None), "server": ("0.0.0.0", port - 1)})


@on_linux
def test_ones_own_process_is_none_without_its_port_either() -> None:
    with visit(ME) as scope:
        assert not is_strangers({"client": ("127.0.0.1", None), "server": scope["server"]})
