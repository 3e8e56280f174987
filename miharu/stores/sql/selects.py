"""What a sum is added up from: statements over sums that are kept, and over calls that are in none."""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection

from miharu.stores.base import By, ByTag, Query, Totals
from miharu.stores.rollups import MEASURES, SUMS
from miharu.stores.sql.less_users import less_users
from miharu.stores.sql.source import Engine, Source, Steps, divided, is_kept, source

__all__ = ("ALL", "BY_STATUS", "renamed", "selects")

BY_STATUS: Mapping[str, str] = {"errors": "error", "cancelled": "cancelled"}
"""The sums that are told apart by a status."""
ALL = Totals.__slots__
_PARAMETER = re.compile(r"(?<![:\w]):(\w+)")


def renamed(statement: str, prefix: str) -> str:
    """The statement, with parameters of other names."""
    return _PARAMETER.sub(rf":{prefix}\1", statement)


def selects(
    connection: Connection,
    engine: Engine,
    query: Query,
    by: By | None,
    *,
    among: Sequence[str] | None = None,
    steps: Steps | None = None,
    names: Sequence[str] = ALL,
    frequent: bool | None = None,
    since: int = 0,
) -> tuple[list[str], Mapping[str, Any]]:
    """Statements whose rows, added up, are what is asked for: step, key, status and measures."""
    status, measures = _columns(names)
    of = partial(
        _selects,
        connection,
        engine,
        by=by,
        among=among,
        steps=steps,
        names=names,
        frequent=frequent,
        since=since,
    )
    every, others = less_users(connection, engine, query, by)
    found, known = of(every)
    parts, values = list(found), dict(known)
    columns = ", ".join((*divided(engine, by, steps), *status, *(f"-{name} AS {name}" for name in measures)))
    for number, other in enumerate(others):
        prefix = f"less{number}_"
        found, known = of(other)
        parts += [f"SELECT {columns} FROM ({renamed(one, prefix)}) AS less" for one in found]
        values |= {f"{prefix}{name}": value for name, value in known.items()}
    return parts, values


def _columns(names: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """The status, where it is needed, and the measures."""
    status = () if BY_STATUS.keys().isdisjoint(names) else ("status",)
    return status, [name for name in MEASURES if name in names]


def _selects(
    connection: Connection,
    engine: Engine,
    query: Query,
    *,
    by: By | None,
    among: Sequence[str] | None,
    steps: Steps | None,
    names: Sequence[str],
    frequent: bool | None,
    since: int,
) -> tuple[list[str], Mapping[str, Any]]:
    status, measures = _columns(names)

    def read(by: By | None, among: Sequence[str] | None, *, valued: bool = False) -> Source:
        return source(
            connection,
            engine,
            query,
            SUMS,
            by=by,
            among=among,
            steps=steps,
            also=status,
            measures=measures,
            frequent=frequent,
            since=since,
            valued=valued,
            signed=True,
        )

    def written(found: Source, by: By | None, sign: str = "", key: str | None = None) -> list[str]:
        parts = divided(engine, by, steps)
        if key is not None:
            parts["key"] = (key, key)

        def of_folded(sign: str) -> str:
            return ", ".join(
                (
                    *(f"{folded} AS {name}" for name, (folded, _) in parts.items()),
                    *status,
                    *(f"{sign}{name} AS {name}" for name in measures),
                )
            )

        of_raw = (
            *(f"{raw} AS {name}" for name, (_, raw) in parts.items()),
            *status,
            *(
                f"{sign}({MEASURES[name]}) AS {name}" if sign else f"{MEASURES[name]} AS {name}"
                for name in measures
            ),
        )
        return [
            *(f"SELECT {of_folded(sign)} {part}" for _, part in found.folded),
            *(f"SELECT {of_folded('' if sign else '-')} {part}" for _, part in found.less),
            *(f"SELECT {', '.join(of_raw)} {part}" for part in found.raw),
        ]

    if not isinstance(by, ByTag) or not is_kept(connection, engine, query, by):
        found = read(by, among)
        return written(found, by), found.values
    some = None if among is None else [key for key in among if key]
    parts: list[str] = []
    values: dict[str, Any] = {}
    if some is None or some:
        found = read(by, some, valued=True)
        parts, values = written(found, by), {**found.values}
    if among is None or "" in among:  # what no value has is what all have, less what the values have
        every, tagged = read(None, None), read(by, None, valued=True)
        parts += written(every, None, key="''") + written(tagged, None, "-", "''")
        values |= {**every.values, **tagged.values}
    return parts, values
