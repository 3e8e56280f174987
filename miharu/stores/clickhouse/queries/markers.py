"""The moments that figures are compared around, and how calls were rated in between."""

from collections.abc import Mapping, Sequence

from miharu.batch import Marker, MarkerKind
from miharu.stores.base import MOST_MARKERS, MOST_RATED, Rated
from miharu.stores.clickhouse.client.database import Database
from miharu.stores.clickhouse.client.literals import among, literal
from miharu.stores.clickhouse.queries.rows import read
from miharu.stores.columns import MARKERS, marker_from_row

__all__ = ("first_markers", "markers", "rated")


def markers(
    database: Database,
    start: int,
    end: int,
    *,
    kinds: Sequence[MarkerKind] | None = None,
    name: str | None = None,
    id: str | None = None,  # noqa: A002 - the column's name
    limit: int = MOST_MARKERS,
) -> Sequence[Marker]:
    where = [f"timestamp >= {literal(start)}", f"timestamp < {literal(end)}"]
    if kinds is not None:
        where.append(f"kind IN {among(kinds)}" if kinds else "0")
    where += [
        f"{column} = {literal(wanted)}"
        for column, wanted in (("name", name), ("id", id))
        if wanted is not None
    ]
    return first_markers(database, " AND ".join(where), "timestamp DESC, id DESC", limit)


def first_markers(database: Database, where: str, order: str, limit: int) -> list[Marker]:
    """Those that match; of several with the same id the first one that was written.

    There are none where the tables are of an older miharu.
    """
    if not database.query("EXISTS TABLE llm_markers")[0][0]:
        return []
    first = "SELECT * FROM llm_markers ORDER BY earliness DESC LIMIT 1 BY id"
    columns = read("llm_markers", MARKERS)
    rows = database.query(
        f"SELECT {columns} FROM ({first}) WHERE {where} ORDER BY {order} LIMIT {int(limit)}"
    )
    return [marker_from_row(dict(zip(MARKERS, row, strict=True))) for row in rows]


def rated(database: Database, start: int, end: int, *, name: str | None = None) -> Mapping[str, Rated]:
    named = "" if name is None else f" AND name = {literal(name)}"
    rows = database.query(
        "SELECT name, count(), avg(value) FROM (SELECT name, value FROM llm_scores "
        f"WHERE timestamp >= {literal(start)} AND timestamp < {literal(end)}{named} LIMIT 1 BY id) "
        f"GROUP BY name ORDER BY count() DESC, name LIMIT {MOST_RATED}"
    )
    return {name: Rated(int(number), float(mean)) for name, number, mean in rows}
