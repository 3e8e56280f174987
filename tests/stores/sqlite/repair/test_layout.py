import json
import os
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest

from miharu.stores.sqlite.repair.damage import connect
from miharu.stores.sqlite.repair.layout import TABLES, beside, keep, layout_of, page_one
from tests.stores.sqlite.repair.conftest import PAGE, Written


def test_the_store_keeps_it_beside_the_file(written: Written) -> None:
    layout = layout_of(written.path)
    assert layout is not None
    assert tuple(layout.tables) == TABLES
    assert layout.page_size == PAGE
    assert "cost_cents" not in layout.tables["llm_calls"].columns
    if os.name == "posix":
        assert stat.S_IMODE(beside(written.path).stat().st_mode) == 0o600


def test_it_is_written_when_the_schema_has_changed_and_only_then(written: Written) -> None:
    def kept() -> int:
        with connect(written.path) as connection:
            keep(lambda statement: connection.execute(statement).fetchall(), written.path)
        return beside(written.path).stat().st_ino

    before = kept()
    assert kept() == before
    with sqlite3.connect(written.path) as connection:
        connection.execute("ALTER TABLE llm_scores ADD COLUMN mood TEXT")
    connection.close()
    beside(written.path).rename(beside(written.path).with_suffix(".old"))  # so that its inode is taken
    assert kept() != before
    layout = layout_of(written.path)
    assert layout is not None
    assert layout.tables["llm_scores"].columns[-1] == "unknown_7"  # a place, and no name of others


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b'{"page_size": 4096}', b'{"tables": {"a": 1}}'])
def test_one_that_makes_no_sense_is_none(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "calls.db"
    assert layout_of(file) is None
    beside(file).write_bytes(content)
    assert layout_of(file) is None


ODD: list[dict[str, Any]] = [
    {"root": 0},
    {"root": -3},
    {"root": True},
    {"root": 2**32},
    {"root": "4"},
    {"columns": []},
    {"columns": "call_id"},
    {"columns": ["call_id", "call_id"]},
    {"columns": ["call_id", None]},
    {"columns": [f"c{number}" for number in range(3000)]},
]
SOUND: dict[str, Any] = {"root": 4, "columns": ["call_id", "request", "response"]}


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 60_000,
        b'{"a":' * 10_000,
        b"1" * 60_000,
        b'{"page_size": 4096, "tables": {' + b" " * (1 << 20) + b"}}",
        json.dumps({"page_size": 4096, "tables": {}}).encode(),
        json.dumps({"page_size": 4095, "tables": {"llm_bodies": SOUND}}).encode(),
        json.dumps({"page_size": 10**30, "tables": {"llm_bodies": SOUND}}).encode(),
        b'{"page_size": 1e999, "tables": {"llm_bodies": {"root": 4, "columns": ["call_id"]}}}',
        *(
            json.dumps({"page_size": 4096, "tables": {"llm_bodies": SOUND | change}}).encode()
            for change in ODD
        ),
        json.dumps({"page_size": 4096, "tables": {"sqlite_master": SOUND}}).encode(),
    ],
)
def test_a_poisoned_one_is_none_and_is_written_anew(
    written: Written, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    before = layout_of(written.path)
    beside(written.path).write_bytes(content)
    assert layout_of(written.path) is None
    with connect(written.path) as connection:
        keep(lambda statement: connection.execute(statement).fetchall(), written.path)
    assert layout_of(written.path) == before is not None
    assert len(caplog.messages) <= 1


def test_names_of_columns_are_places_unless_miharu_has_made_them(written: Written) -> None:
    facts = json.loads(beside(written.path).read_text())
    evil = "x\"); ATTACH DATABASE '/tmp/evil' AS evil; --"
    facts["tables"]["llm_scores"]["columns"][2] = evil
    beside(written.path).write_text(json.dumps(facts))
    layout = layout_of(written.path)
    assert layout is not None
    assert layout.tables["llm_scores"].columns[1:4] == ("timestamp", "unknown_2", "value")
    assert evil.encode() not in page_one(layout, 10, wal=False)


def test_a_pipe_in_its_place_is_not_waited_for(written: Written, caplog: pytest.LogCaptureFixture) -> None:
    beside(written.path).unlink()
    os.mkfifo(beside(written.path))
    assert layout_of(written.path) is None
    assert caplog.messages == [f"miharu: {beside(written.path)} is a named pipe: it is not read."]


def test_one_from_elsewhere_must_be_whole(written: Written) -> None:
    facts = json.loads(beside(written.path).read_text())
    del facts["tables"]["llm_calls"]["root"]
    beside(written.path).write_text(json.dumps(facts))
    assert layout_of(written.path) is None


def test_a_page_made_of_it_leads_to_the_tables(written: Written) -> None:
    layout = layout_of(written.path)
    assert layout is not None
    data = written.path.read_bytes()
    page = page_one(layout, len(data) // PAGE, wal=False)
    assert len(page) == PAGE
    written.path.write_bytes(page + data[PAGE:])
    with connect(written.path) as connection:
        for table, expected in zip(TABLES, (3000, 300, 20, 20, 20), strict=True):
            columns = ", ".join(layout.tables[table].columns)
            assert len(connection.execute(f"SELECT {columns} FROM {table}").fetchall()) == expected
