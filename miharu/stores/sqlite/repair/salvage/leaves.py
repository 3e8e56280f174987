"""Reading rows where they lie, without a tree that leads to them: for a table whose upper pages are lost.

Each row stands on a leaf, and a leaf is known by its first byte (https://www.sqlite.org/fileformat2.html).
Pages that are known to be free are left out; where that is not known, what is read was in the file at some
time.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from miharu.stores.sqlite.repair.salvage.pages import Pages

__all__ = ("Record", "records")

_LEAF = 0x0D
_LEAF_HEADER, _CELL = 8, 6
"""Bytes before the cells' places, and of the smallest cell with its place."""
_INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
"""Bytes of an integer, by its serial type."""
_REAL, _ZERO, _ONE, _BLOB = 7, 8, 9, 12


@dataclass(frozen=True, slots=True)
class Record:
    """A row of some table."""

    page: int
    rowid: int
    values: tuple[object, ...]
    """Those that are stored: fewer than the table has columns, where columns were added later."""


def records(pages: Pages, wanted: Callable[[int, int], bool], after: int = 0) -> Iterator[Record]:
    """All that looks like a row.

    Args:
        pages: Of the file.
        wanted: Whether to read the row with so many columns and that rowid.
        after: Begin above this page.
    """
    free = _free(pages)
    for number in range(after + 1, len(pages) + 1):
        page = pages[number]
        if len(page) < pages.size or page[0] != _LEAF or number in free:
            continue
        for cell in range(min(int.from_bytes(page[3:5]), pages.size // _CELL)):
            pointer = _LEAF_HEADER + 2 * cell
            try:
                length, at = _varint(page, int.from_bytes(page[pointer : pointer + 2]))
                rowid, at = _varint(page, at)
                if wanted(len(_kinds(page, at)[0]), rowid):
                    yield Record(number, rowid, _values(_payload(pages, page, at, length)))
            except (LookupError, ValueError, struct.error):
                continue


def _free(pages: Pages) -> set[int]:
    """The pages that are not in use, as far as the first one still leads to them."""
    free, first = set[int](), pages[1]
    trunk = int.from_bytes(first[32:36]) if first.startswith(b"SQLite format 3") else 0
    while 1 < trunk <= len(pages) and trunk not in free:
        page = pages[trunk]
        ends = 8 + 4 * min(int.from_bytes(page[4:8]), pages.size // 4)
        free |= {trunk, *(int.from_bytes(page[at : at + 4]) for at in range(8, ends, 4))}
        trunk = int.from_bytes(page[:4])
    return free


def _payload(pages: Pages, page: bytes, at: int, length: int) -> bytes:
    if not 0 < length < len(pages) * pages.size:
        raise ValueError(length)
    here = _here(length, pages.size)
    payload = page[at : at + here]
    if here == length:
        return payload
    parts, missing, seen = [payload], length - here, set[int]()
    overflow = int.from_bytes(page[at + here : at + here + 4])
    while missing > 0:
        if not 1 < overflow <= len(pages) or overflow in seen:
            raise ValueError(overflow)
        seen.add(overflow)
        more = pages[overflow]
        parts.append(more[4 : 4 + missing])
        missing -= len(more) - 4
        overflow = int.from_bytes(more[:4])
    return b"".join(parts)


def _here(length: int, usable: int) -> int:
    """How much of that length stands on the leaf itself."""
    most = usable - 35
    if length <= most:
        return length
    least = (usable - 12) * 32 // 255 - 23
    rest = least + (length - least) % (usable - 4)
    return rest if rest <= most else least


def _kinds(data: bytes, at: int) -> tuple[list[int], int]:
    """The serial types of a record that begins there, and where its values begin."""
    begin = at
    length, at = _varint(data, at)
    kinds = list[int]()
    while at < begin + length:
        kind, at = _varint(data, at)
        kinds.append(kind)
    return kinds, at


def _values(payload: bytes) -> tuple[object, ...]:
    kinds, at = _kinds(payload, 0)
    values = list[object]()
    for kind in kinds:
        value, at = _value(payload, kind, at)
        values.append(value)
    if at != len(payload):
        raise ValueError(at)
    return tuple(values)


def _value(payload: bytes, kind: int, at: int) -> tuple[object, int]:
    if kind in _INTEGERS:
        end = at + _INTEGERS[kind]
        return int.from_bytes(payload[at:end], signed=True), end
    if kind == _REAL:
        return struct.unpack_from(">d", payload, at)[0], at + 8
    if kind >= _BLOB:
        end = at + (kind - _BLOB) // 2
        data = payload[at:end]
        return (data.decode() if kind % 2 else data), end
    return {0: None, _ZERO: 0, _ONE: 1}[kind], at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of 64 bits, in one byte up to nine, and where it ends."""
    value = 0
    for _ in range(8):
        byte = data[at]
        at += 1
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at
    value = value << 8 | data[at]
    return (value - (1 << 64) if value >> 63 else value), at + 1
