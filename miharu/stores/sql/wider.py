"""All, less what is not meant: sums without a key have far fewer rows than those by it.

Where only some values of a key are left out, and nothing else is asked of it, a table without the key says
what all come to, and what is left out is read from the table with it and taken off. A pattern that most
models fit leaves out the others. One that only and all models of some providers fit means these providers.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, text

from miharu.stores.base import Query
from miharu.stores.cover import Piece, cover, suited
from miharu.stores.rollups import DAY, SUMS, Rollup
from miharu.stores.sql.conditions import Narrowing
from miharu.stores.sql.snapshot import once

__all__ = ("BY_MODEL", "Wider", "are_most", "providers_of", "wider")

_MODELS = "sum_day_model"
_OF_ALL = [table for table in SUMS if not (table.of_failed or table.of_frequent or table.of_tags)]
BY_MODEL = suited(_OF_ALL, ("model", "provider"), None, ("calls",))
"""The tables that know whose a model is."""
_FEW = {"status"}
"""Keys that hardly make more rows."""


@dataclass(frozen=True, slots=True)
class Wider:
    """Where to read what all come to."""

    key: str
    """Of which some values are left out."""
    left_out: str
    """These, as a condition on rows of sums."""
    are_named: bool
    """Whether they are named one by one."""
    tables: Sequence[Rollup]
    """Those that do without the key."""
    providers: Sequence[str] = ()
    """Those whose models are meant: of the tables only these are read, and nothing is taken off."""

    @property
    def led(self) -> Collection[str]:
        """The keys whose values are named, and gone to directly."""
        return ("provider",) if self.providers else (self.key,) if self.are_named else ()

    @property
    def like(self) -> str:
        """Which models are left out, where these are not named."""
        return "" if self.are_named else self.left_out

    @property
    def values(self) -> Mapping[str, str]:
        """The parameters of ``meant``."""
        return {f"provider{number}": name for number, name in enumerate(self.providers)}

    @property
    def meant(self) -> str:
        """A condition on the tables, with AND before it."""
        named = ", ".join(f":{name}" for name in self.values)
        return f" AND provider IN ({named})" if self.providers else ""

    def instead_of(self, piece: Piece, horizon: int, made: Mapping[str, int], since: int) -> Sequence[Piece]:
        """Pieces that hold what a piece does in fewer rows; none where there are no such."""
        rollup = piece.rollup
        if rollup is None or not self.gains(rollup):
            return ()
        found = list(cover(piece.start, piece.end, self.tables, horizon, made, since=since))
        return found if all(one.rollup and _has_fewer(one.rollup, rollup) for one in found) else ()

    def gains(self, rollup: Rollup) -> bool:
        """Whether it may be worth it to read less of a table."""
        return self._leads_to(rollup) and any(_has_fewer(one, rollup) for one in self.tables)

    def _leads_to(self, rollup: Rollup) -> bool:
        """Whether what is left out is gone to directly."""
        if self.key == rollup.keys[0]:
            return self.are_named or self.key == "model"
        return self.are_named and (self.key, *rollup.keys[:2]) == ("route", "model", "route")


def _has_fewer(one: Rollup, other: Rollup) -> bool:
    """Whether a table has fewer rows than the other."""
    return {*one.keys} - _FEW < {*other.keys} - _FEW


def wider(
    narrow: Narrowing,
    needed: Collection[str],
    tables: Collection[Rollup],
    without: Callable[..., Sequence[Rollup]],
    *,
    are_most: Callable[[str], bool],
    providers_of: Callable[[str], Sequence[str]],
) -> Wider | None:
    """What is left out of the sums, or meant without the key; ``None`` where nothing is gained by that.

    Args:
        narrow: The conditions.
        needed: The keys that nothing but the conditions needs.
        tables: Those that know all keys.
        without: The tables that do without a key, and know another.
        are_most: Whether most models meet a condition.
        providers_of: The providers all of whose models meet a condition, and no others.
    """
    for key, left_out in narrow.left_out.items():
        found = Wider(key, *left_out, without(key)) if key in needed else None
        if found and any(map(found.gains, tables)):
            return found
    if (like := narrow.like.get("model")) and "model" in needed:
        found = Wider("model", f"NOT {like}", are_named=False, tables=without("model"))
        if any(map(found.gains, tables)) and are_most(like):
            return found
        found = Wider("model", "", are_named=False, tables=without("model", "provider"))
        if any(map(found.gains, tables)) and (names := providers_of(like)):
            return replace(found, providers=names)
    return None


def are_most(
    connection: Connection, made: Mapping[str, int], query: Query, like: str, values: Mapping[str, Any]
) -> bool:
    """Whether most models of the newest whole day meet the condition."""
    end = min(query.end, made.get(_MODELS, 0)) // DAY * DAY
    if not end:
        return False
    asked = text(
        f"SELECT count(DISTINCT CASE WHEN {like} THEN model END), count(DISTINCT model) FROM {_MODELS} "
        "WHERE t = :day"
    )

    def ask() -> bool:
        fitting, all_ = connection.execute(asked, {**values, "day": end - DAY}).one()
        return bool(2 * fitting > all_)

    return once(connection, (like, end, *values.items()), ask)


def providers_of(
    connection: Connection, pieces: Iterable[Piece], like: str, values: Mapping[str, Any]
) -> Sequence[str]:
    """The providers all of whose models in these pieces meet the condition; none if only some of one do."""
    read = [(piece, piece.rollup) for piece in pieces]
    models = " UNION ".join(
        f"SELECT provider, CASE WHEN {like} THEN 1 ELSE 0 END AS fits FROM {table.name} "
        f"WHERE t >= {piece.start} AND t < {piece.end}"
        for piece, table in read
        if table
    )
    if not models or not all(table for _, table in read):
        return ()
    asked = text(
        "SELECT provider, min(fits) AS all_do, max(fits) AS one_does "
        f"FROM ({models}) AS models GROUP BY provider"
    )
    found = once(connection, (models, *values.items()), lambda: connection.execute(asked, values).all())
    split = any(row.all_do < row.one_does for row in found)
    return () if split else [row.provider for row in found if row.all_do]
