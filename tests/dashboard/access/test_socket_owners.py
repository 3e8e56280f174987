"""Whose a socket is, as the kernel tells it, in both of its ways."""

import ipaddress
import os
import socket
import struct
import sys
from pathlib import Path
from typing import Any

import pytest

from miharu.dashboard.access import socket_owners
from miharu.dashboard.access.socket_owners import (
    End,
    owner_by_netlink,
    owners_by_tables,
    owners_of_visitors,
)
from tests.dashboard.access.test_local_user import NOBODY, as_root, on_linux, visit

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
HERE = "0100007F" if sys.byteorder == "little" else "7F000001"


def end(address: str, port: int) -> End:
    return End(ipaddress.ip_address(address), port)


def table(tmp_path: Path, *lines: str) -> tuple[Path, ...]:
    file = tmp_path / "tcp"
    file.write_text(HEAD + "".join(f"{line} 0 0 0\n" for line in lines))
    return (file, tmp_path / "nothing")


def line(local: str, remote: str, state: str = "01", uid: int = 33) -> str:
    return f"   0: {local} {remote} {state} 00000000:00000000 00:00000000 00000000  {uid}"


THEIRS = line(f"{HERE}:1388", f"{HERE}:1F40")


@on_linux
@as_root
@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.1"])
@pytest.mark.parametrize("how", ["whole", "half"])
@pytest.mark.parametrize("listening", ["127.0.0.1", "::"])
def test_both_ways_tell_the_same(address: str, how: str, listening: str) -> None:
    with visit(NOBODY, address, how, listening) as scope:
        far, near = (end(ip.removeprefix("::ffff:"), port) for ip, port in (scope["client"], scope["server"]))
        assert owners_by_tables(far, near.port) == {NOBODY}
        assert owner_by_netlink(far, near) in {NOBODY, None}  # a kernel may be without it


@on_linux
def test_nobody_has_a_socket_that_is_not_there() -> None:
    assert owner_by_netlink(end("127.0.0.1", 1), end("127.0.0.1", 2)) is None
    assert owner_by_netlink(end("::1", 1), end("127.0.0.1", 2)) is None
    assert owners_by_tables(end("127.0.0.1", 1), 2) == set()


@on_linux
def test_a_socket_that_only_listens_is_no_visitors() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert owner_by_netlink(end("127.0.0.1", port), end("127.0.0.1", 2)) is None


def test_where_there_is_nobody_to_ask_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "AF_NETLINK", raising=False)
    assert owner_by_netlink(end("127.0.0.1", 1), end("127.0.0.1", 2)) is None


@pytest.mark.parametrize("answer", [b"", bytes(16), struct.pack("=IHHII", 20, 2, 0, 1, 0) + bytes(100)])
def test_an_answer_that_is_none_says_nothing(answer: bytes) -> None:
    assert socket_owners._owner_in(answer) is None


def test_it_reads_the_line_of_the_far_ends_own_socket(tmp_path: Path) -> None:
    ours = line(f"{HERE}:1F40", f"{HERE}:1388", uid=os.getpid())
    assert owners_by_tables(end("127.0.0.1", 5000), 8000, table(tmp_path, ours, THEIRS)) == {33}


@pytest.mark.parametrize(
    "other",
    [
        line(f"{HERE}:1389", f"{HERE}:1F40"),  # another port
        line(f"{HERE}:1388", f"{HERE}:1F41"),  # another server
        line(f"{HERE}:1388", f"{HERE}:1F40", "06"),  # a connection that is over
        f"{HERE}:1388 is written in another way",
        f"0: {HERE}:1388 {HERE}:1F40 xx 0 0 0 nobody",
    ],
)
def test_another_line_says_nothing(other: str, tmp_path: Path) -> None:
    found: Any = owners_by_tables(end("127.0.0.1", 5000), 8000, table(tmp_path, other))
    assert found == set()


MAPPED = f"0000000000000000{struct.unpack('=I', bytes([0, 0, 255, 255]))[0]:08X}{HERE}"
ELSEWHERE = "0200000A" if sys.byteorder == "little" else "0A000002"


def test_it_reads_the_lines_of_all_visitors(tmp_path: Path) -> None:
    lines = (
        line("0200007F:1111", f"{HERE}:1F40", uid=1),
        line(f"{MAPPED}:1111", f"{MAPPED}:1F40", uid=2),
        line(f"{HERE}:1F40", f"{HERE}:1111", uid=3),  # the server's own end
        line(f"{HERE}:1111", f"{HERE}:1F41", uid=4),  # another server
        line(f"{HERE}:1111", f"{ELSEWHERE}:1F40", uid=5),  # on another machine
        line(f"{HERE}:1111", f"{HERE}:1F40", "06", uid=6),  # a connection that is over
    )
    assert owners_of_visitors(8000, table(tmp_path, *lines)) == {1, 2}
    assert owners_of_visitors(8000, table(tmp_path, "written in another way")) == set()
