"""The questions to a SQLite file."""

import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection

from miharu.call import Call
from miharu.stores import sql
from miharu.stores.base import LONGEST_TAG, NEWEST, Order, Query
from miharu.stores.sqlite.readers import Readers
from miharu.stores.sqlite.references import lookup, lookup_within
from miharu.stores.sqlite.searching import said, searched

__all__ = ("SQLiteQuestions", "marks")

T = TypeVar("T")


def marks(connection: Connection) -> sql.Marks:
    """How far the roll-ups have come."""
    rows = connection.exec_driver_sql("SELECT key, value FROM miharu_meta")
    known = {row.key: row.value for row in rows}
    made = connection.exec_driver_sql("SELECT name, upto FROM miharu_made")
    return sql.Marks(
        folded=known["folded"], horizon=known["horizon"], made={row.name: row.upto for row in made}
    )


def _glob(pattern: Sequence[str]) -> str:
    return "*".join(re.sub(r"[*?\[]", r"[\g<0>]", piece) for piece in pattern)


ENGINE = sql.Engine(
    read_marks=marks,
    below="+llm_calls.rowid < :mark",
    above="llm_calls.rowid >= :mark",
    # not json_extract: before SQLite 3.45 its paths do not find names that JSON has to escape
    tagged="instr(tags, :tag_written) AND EXISTS "
    "(SELECT 1 FROM json_each(tags) WHERE key = :tag_name AND atom = :tag_value)",
    dialect=sql.Dialect(
        tag="coalesce((SELECT atom FROM json_each(tags) WHERE key = {} LIMIT 1), '')",
        # not LIKE, to which a is A
        fits="{} GLOB {}",
        pattern=_glob,
        listed="EXISTS (SELECT 1 FROM json_each(CASE WHEN json_valid({0}) THEN "
        "CASE json_type({0}) WHEN 'array' THEN {0} END END) AS named WHERE named.type = 'text' AND {1})",
    ),
    tag_key="coalesce((SELECT atom FROM json_each(tags) WHERE key = :by_tag "
    f"AND length(atom) <= {LONGEST_TAG}), '')",
    contains="instr(lower(key), lower(:matching)) > 0",
    said=said,
    searched=searched,
    lookup=lookup,
    lookup_within=lookup_within,
)


class SQLiteQuestions(sql.Answers):
    """Reads a file, or what is in memory."""

    engine = ENGINE

    def __init__(self, readers: Readers, path: Path | None = None) -> None:
        self._readers = readers
        self._path = path

    async def open(self) -> None:
        await self._readers.open()

    async def revision(self) -> int:
        return await self.read(_revision)

    async def calls(
        self, query: Query, limit: int = 50, before: str | None = None, order: Order = NEWEST
    ) -> list[Call]:
        if order == NEWEST:
            look = partial(sql.calls, engine=ENGINE, query=query, limit=limit, before=before)
        else:
            look = partial(sql.ranked, engine=ENGINE, query=query, order=order, limit=limit, before=before)
        return list(await self.read(look))

    async def size(self) -> int | None:
        if self._path is None:
            return None
        companions = (Path(f"{self._path}{suffix}") for suffix in ("", "-wal", "-shm"))
        return sum(part.stat().st_size for part in companions if part.exists())

    async def close(self) -> None:
        await self._readers.close()

    async def read(self, work: Callable[[Connection], T]) -> T:
        return await self._readers.read(work)


def _revision(connection: Connection) -> int:
    return int(
        connection.exec_driver_sql("SELECT value FROM miharu_meta WHERE key = 'revision'").scalar_one()
    )
