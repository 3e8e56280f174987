"""Whose process the far end of a connection within this machine belongs to, as the kernel of Linux tells it.

One question over netlink costs a twentieth of a millisecond. Where that is not to be had, there are the
tables in ``/proc``, which hold every connection of the machine.
"""

import ipaddress
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

__all__ = ("TABLES", "End", "owner_by_netlink", "owners_by_tables", "owners_of_visitors")

TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_OPEN = (1, 4, 5, 8)
"""Established, or closed by one end only (include/net/tcp_states.h)."""
_SOCK_DIAG, _SOCK_DIAG_BY_FAMILY, _REQUEST = 4, 20, 1
_ANY = 0xFFFFFFFF
_HEAD = struct.Struct("=IHHII")
_MESSAGE = struct.Struct("=BBBB")
_ID = struct.Struct("=48s")
_REST = struct.Struct("=IIIII")


class End(NamedTuple):
    """One end of a connection."""

    ip: ipaddress.IPv4Address | ipaddress.IPv6Address
    port: int


def owner_by_netlink(far: End, near: End) -> int | None:
    """The user who has the socket at the far end (``man 7 sock_diag``).

    ``None`` where there is no such socket, or no kernel interface to ask.
    """
    if far.ip.version != near.ip.version or not hasattr(socket, "AF_NETLINK"):
        return None
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, _SOCK_DIAG) as kernel:
            kernel.settimeout(1)
            kernel.send(_question(far, near))
            return _owner_in(kernel.recv(8192))
    except OSError:
        return None


def owners_by_tables(far: End, port: int, tables: tuple[Path, ...] = TABLES) -> set[int]:
    """The users who have it, read from files, without the address of the near end."""
    places = set(_as_the_kernel_writes(far))
    found = set()
    for table in tables:
        with suppress(OSError, ValueError):  # there is none, or another kernel writes it in another way
            for line in table.read_text().splitlines()[1:]:
                if not any(place in line for place in places):
                    continue
                _, local, remote, state, _, _, _, owner, *_ = line.split()
                if local in places and remote.endswith(f":{port:04X}") and int(state, 16) in _OPEN:
                    found.add(int(owner))
    return found


def owners_of_visitors(port: int, tables: tuple[Path, ...] = TABLES) -> set[int]:
    """The users who have a connection from within this machine to that port of a loopback address."""
    found = set()
    for table in tables:
        with suppress(OSError, ValueError):  # as above
            for line in table.read_text().splitlines()[1:]:
                _, _, remote, state, _, _, _, owner, *_ = line.split()
                ip, _, at = remote.partition(":")
                if int(at, 16) == port and int(state, 16) in _OPEN and _is_loopback(ip):
                    found.add(int(owner))
    return found


def _is_loopback(words: str) -> bool:
    """Whether an address as the kernel writes it is one of this machine."""
    numbers = [int(words[at : at + 8], 16) for at in range(0, len(words), 8)]
    ip = ipaddress.ip_address(struct.pack(f"={len(numbers)}I", *numbers))
    return (getattr(ip, "ipv4_mapped", None) or ip).is_loopback


def _question(far: End, near: End) -> bytes:
    """The request for one socket, which the kernel finds by its ends without a list."""
    family = socket.AF_INET if far.ip.version == 4 else socket.AF_INET6
    ends = struct.pack("!HH16s16s", far.port, near.port, far.ip.packed, near.ip.packed)
    asked = struct.pack("=BBBxI", family, socket.IPPROTO_TCP, 0, _ANY)
    asked += ends + struct.pack("=III", 0, _ANY, _ANY)
    return _HEAD.pack(_HEAD.size + len(asked), _SOCK_DIAG_BY_FAMILY, _REQUEST, 1, 0) + asked


def _owner_in(answer: bytes) -> int | None:
    begin = _HEAD.size
    if len(answer) < begin + _MESSAGE.size + _ID.size + _REST.size:
        return None
    if _HEAD.unpack_from(answer)[1] != _SOCK_DIAG_BY_FAMILY:
        return None  # it says that there is none
    _, state, _, _ = _MESSAGE.unpack_from(answer, begin)
    *_, owner, _ = _REST.unpack_from(answer, begin + _MESSAGE.size + _ID.size)
    return int(owner) if state in _OPEN else None


def _as_the_kernel_writes(end: End) -> Iterator[str]:
    """An address of the fourth version also the way it is written in the table of the sixth."""
    yield f"{_words(end.ip.packed)}:{end.port:04X}"
    if end.ip.version == 4:
        yield f"{_words(bytes(10) + bytes([255, 255]) + end.ip.packed)}:{end.port:04X}"


def _words(packed: bytes) -> str:
    return "".join(f"{word:08X}" for word in struct.unpack(f"={len(packed) // 4}I", packed))
