"""Rows around damage: none is missed that can be read, and the search ends."""

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from miharu.stores.sqlite.repair.damage import connect
from miharu.stores.sqlite.repair.salvage import rowids
from miharu.stores.sqlite.repair.salvage.rowids import Gap, readable
from tests.stores.sqlite.repair.conftest import PAGE, Written, damage, zeroed


def rows(path: Path, **options: Any) -> list[int]:
    with connect(path) as connection:
        found = readable(connection, "llm_calls", ("id",), **options)
        return [row[0] for row in found if not isinstance(row, Gap)]


def leaves_of(path: Path, table: str) -> list[int]:
    """The pages that hold its rows, by their numbers counted from 0."""
    with connect(path) as connection:
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]
    data = path.read_bytes()

    def below(number: int) -> Iterator[int]:
        page = data[(number - 1) * PAGE : number * PAGE]
        if page[0] == 13:
            yield number - 1
            return
        cells = int.from_bytes(page[3:5])
        for cell in range(cells):
            at = int.from_bytes(page[12 + 2 * cell : 14 + 2 * cell])
            yield from below(int.from_bytes(page[at : at + 4]))
        yield from below(int.from_bytes(page[8:12]))

    return list(below(root))


def test_a_sound_table_is_read_whole(written: Written) -> None:
    assert rows(written.path) == list(range(1, 3001))
    assert rows(written.path, after=2990) == list(range(2991, 3001))


@pytest.mark.parametrize(
    "lost",
    [
        [0],
        [5],
        [5, 6, 7],
        [5, 7, 9, 11, 13],
        [*range(10, 60)],
        [*range(10, 30), *range(31, 60)],
        [*range(0, 400, 2)],
        [-1],
        [-2],
        [*range(20, 1000)],
    ],
)
def test_only_what_was_on_a_lost_page_is_lost(written: Written, lost: list[int]) -> None:
    leaves = leaves_of(written.path, "llm_calls")
    pages = {leaves[index] for index in lost if index < len(leaves)}
    on_page = rows_by_page(written.path, leaves)
    for page in pages:
        damage(written.path, zeroed(range(page, page + 1)))
    expected = [rowid for page in leaves if page not in pages for rowid in on_page[page]]
    assert rows(written.path, span=100_000) == expected


def rows_by_page(path: Path, leaves: Iterable[int]) -> dict[int, list[int]]:
    """The rowids on each leaf, from their cells."""
    data, found = path.read_bytes(), {}
    for number in leaves:
        page = data[number * PAGE : (number + 1) * PAGE]
        rowids = []
        for cell in range(int.from_bytes(page[3:5])):
            at = int.from_bytes(page[8 + 2 * cell : 10 + 2 * cell])
            _, at = varint(page, at)
            rowid, _ = varint(page, at)
            rowids.append(rowid)
        found[number] = rowids
    return found


def varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    while True:
        value = value << 7 | data[at] & 0x7F
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def test_gaps_are_told(written: Written) -> None:
    leaves = leaves_of(written.path, "llm_calls")
    on_page = rows_by_page(written.path, leaves)
    damage(written.path, zeroed(range(leaves[4], leaves[4] + 1)))
    with connect(written.path) as connection:
        gaps = [row for row in readable(connection, "llm_calls", ("id",)) if isinstance(row, Gap)]
    assert gaps == [Gap(on_page[leaves[4]][0], on_page[leaves[4]][-1])]


def test_a_lost_end_is_told(written: Written) -> None:
    leaves = leaves_of(written.path, "llm_calls")
    damage(written.path, zeroed(range(leaves[-1], leaves[-1] + 1)))
    with connect(written.path) as connection:
        *_, last = readable(connection, "llm_calls", ("id",), span=100_000)
    assert isinstance(last, Gap)
    assert last.last is None


def test_a_row_whose_body_is_lost_is_stepped_over(written: Written) -> None:
    """The row itself is there; the pages that its body flows over to are not."""
    with sqlite3.connect(written.path) as connection:
        connection.execute("UPDATE llm_bodies SET request = randomblob(20000) WHERE rowid = 7")
    connection.close()
    data = written.path.read_bytes()
    [leaf] = [
        n for n, r in rows_by_page(written.path, leaves_of(written.path, "llm_bodies")).items() if 7 in r
    ]
    page = data[leaf * PAGE : (leaf + 1) * PAGE]
    index = rows_by_page(written.path, [leaf])[leaf].index(7)
    at = int.from_bytes(page[8 + 2 * index : 10 + 2 * index])
    size, start = varint(page, at)
    _, start = varint(page, start)
    local = (PAGE - 12) * 32 // 255 - 23
    here = local + (size - local) % (PAGE - 4)
    if here > PAGE - 35:
        here = local
    first = int.from_bytes(page[start + here : start + here + 4])
    damaged = bytearray(data)
    damaged[(first - 1) * PAGE : (first - 1) * PAGE + 4] = b"\xff\xff\xff\xff"
    written.path.write_bytes(damaged)
    with connect(written.path) as connection:
        found = list(readable(connection, "llm_bodies", ("call_id", "request")))
    assert [row[0] for row in found if not isinstance(row, Gap)] == [n for n in range(1, 301) if n != 7]
    assert [row for row in found if isinstance(row, Gap)] == [Gap(7, 7)]


def test_a_table_that_begins_late_is_found(written: Written) -> None:
    """After pruning, the first rowid may be any."""
    with sqlite3.connect(written.path) as connection:
        connection.execute("UPDATE llm_calls SET rowid = rowid + 5000000")
    connection.close()
    leaves = leaves_of(written.path, "llm_calls")
    first = rows_by_page(written.path, leaves)[leaves[0]]
    damage(written.path, zeroed(range(leaves[0], leaves[0] + 1)))
    found = rows(written.path, span=100_000)
    assert found == list(range(first[-1] + 1, 5_003_001))


def test_with_nothing_left_the_search_ends(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rowids, "_LOOKS", 100)
    for leaf in leaves_of(written.path, "llm_calls"):
        damage(written.path, zeroed(range(leaf, leaf + 1)))
    assert rows(written.path, span=10**9) == []


def test_what_is_no_damage_is_raised(written: Written) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table"), connect(written.path) as connection:
        list(readable(connection, "nowhere", ("id",)))
