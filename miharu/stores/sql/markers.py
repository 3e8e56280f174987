"""The moments that figures are compared around, and how calls were rated in between."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text

from miharu.batch import Marker, MarkerKind
from miharu.stores.base import MOST_MARKERS, MOST_RATED, Rated
from miharu.stores.columns import MARKER_COLUMNS, marker_from_row
from miharu.stores.sql.source import Engine

__all__ = ("markers", "rated")


def markers(
    connection: Connection,
    engine: Engine,  # noqa: ARG001 - as its siblings
    start: int,
    end: int,
    *,
    kinds: Sequence[MarkerKind] | None = None,
    name: str | None = None,
    id: str | None = None,  # noqa: A002 - the column's name
    limit: int = MOST_MARKERS,
) -> Sequence[Marker]:
    where, values = ["timestamp >= :start", "timestamp < :end"], dict[str, Any](start=start, end=end)
    if kinds is not None:
        values |= {f"kind{place}": kind for place, kind in enumerate(kinds)}
        where.append(
            f"kind IN ({', '.join(f':kind{place}' for place in range(len(kinds)))})" if kinds else "1 = 0"
        )
    for column, wanted in (("name", name), ("id", id)):
        if wanted is not None:
            values[column] = wanted
            where.append(f"{column} = :{column}")
    rows = connection.execute(
        text(
            f"SELECT {MARKER_COLUMNS} FROM llm_markers WHERE {' AND '.join(where)} "
            "ORDER BY timestamp DESC, id DESC LIMIT :limit"
        ),
        {**values, "limit": limit},
    ).mappings()
    return [marker_from_row(row) for row in rows]


def rated(
    connection: Connection,
    engine: Engine,  # noqa: ARG001 - as its siblings
    start: int,
    end: int,
    *,
    name: str | None = None,
) -> Mapping[str, Rated]:
    named = "" if name is None else "AND name = :name "
    rows = connection.execute(
        text(
            "SELECT name, count(*) AS number, avg(value) AS mean FROM llm_scores "
            f"WHERE timestamp >= :start AND timestamp < :end {named}"
            "GROUP BY name ORDER BY count(*) DESC, name LIMIT :limit"
        ),
        {"start": start, "end": end, "name": name, "limit": MOST_RATED},
    )
    return {row.name: Rated(int(row.number), float(row.mean)) for row in rows}
