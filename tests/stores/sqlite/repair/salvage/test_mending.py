import zlib
from typing import Any

import pytest

from miharu._bounds import MOST_NANOUSD, MOST_TOKENS
from miharu.stores.buckets import bucket_of
from miharu.stores.columns import LARGEST
from miharu.stores.sqlite.repair.salvage.mending import TargetColumn, mended

ID = "01a213f5-8ca8-7f80-8cf8-5818206c0515"


def one(name: str, kind: str, value: Any, *, required: bool = False) -> Any:
    row = mended({name: value}, (TargetColumn(name, kind, required),))
    return "no row" if row is None else row[0]


@pytest.mark.parametrize(
    ("name", "kind", "value"),
    [
        ("prompt_tokens", "INTEGER", MOST_TOKENS),
        ("attempt", "INTEGER", LARGEST),
        ("timestamp", "INTEGER", 1_790_000_000_000),
        ("model", "TEXT", "any \x00 text"),
        ("id", "TEXT", ID),
        ("tags", "TEXT", '{"a": "b"}'),
        ("request", "BLOB", zlib.compress(b"asked")),
        ("value", "REAL", 0.5),
        ("value", "REAL", 1),
    ],
)
def test_what_can_be_is_kept(name: str, kind: str, value: Any) -> None:
    assert one(name, kind, value) == value
    assert one(name, kind, value, required=True) == value


@pytest.mark.parametrize(
    ("name", "kind", "value"),
    [
        ("prompt_tokens", "INTEGER", MOST_TOKENS + 1),
        ("prompt_tokens", "INTEGER", -1),
        ("cost_nanousd", "INTEGER", MOST_NANOUSD + 1),
        ("attempt", "INTEGER", LARGEST + 1),
        ("cost_nanousd", "INTEGER", -(1 << 63)),
        ("prompt_tokens", "INTEGER", "12"),
        ("prompt_tokens", "INTEGER", 1.5),
        ("timestamp", "INTEGER", -1),
        ("timestamp", "INTEGER", 1 << 50),
        ("duration_ms", "INTEGER", -5),
        ("model", "TEXT", b"\xff"),
        ("id", "TEXT", ""),
        ("id", "TEXT", "x" * 500),
        ("id", "TEXT", "a\x00b"),
        ("call_id", "TEXT", "\x1b"),
        ("tags", "TEXT", '{"a": '),
        ("tags", "TEXT", "[1]"),
        ("tags", "TEXT", "[" * 100_000),
        ("request", "BLOB", zlib.compress(b"asked" * 100)[:-9]),
        ("response", "BLOB", b"nothing that was packed"),
        ("value", "REAL", float("inf")),
        ("value", "REAL", "much"),
    ],
)
def test_what_cannot_be_is_taken_out(name: str, kind: str, value: Any) -> None:
    assert one(name, kind, value) is None
    assert one(name, kind, value, required=True) == "no row"


def test_what_an_older_schema_did_not_have_is_made() -> None:
    columns = tuple(
        TargetColumn(n, "INTEGER", required=False) for n in ("duration_bucket", "ttft_bucket", "new")
    )
    assert mended({"duration_ms": 1234, "ttft_ms": None}, columns) == (bucket_of(1234), None, None)
    [timestamp] = mended({"call_id": ID}, (TargetColumn("timestamp", "INTEGER", required=False),)) or ()
    assert timestamp == int(ID.replace("-", "")[:12], 16)
    assert mended({"call_id": "mine"}, (TargetColumn("timestamp", "INTEGER", required=False),)) == (None,)


def test_what_the_new_file_does_not_have_is_left_out() -> None:
    assert mended({"a": "1", "b": "2"}, (TargetColumn("b", "TEXT", required=False),)) == ("2",)
