"""Sums kept beside the calls, by minute, hour and day, so that thirty days are read in milliseconds.

They are made later than the calls, by whoever has time, from all calls below a mark; what is above it is read
from the calls themselves. Both are read in one snapshot, so a sum is always exact. A call that changes or
goes after it was folded in is folded out first: ``fold`` with the sign turned.

A histogram counts successful calls by bucket of their duration (``timing`` 0) and time to first token (1).
``WIDTH`` neighbouring buckets share a row, because what a percentile costs is the sorting of rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, TextClause, text

__all__ = (
    "DAY",
    "FIVE_DAYS",
    "HISTOGRAMS",
    "HOUR",
    "KEYS",
    "MEASURES",
    "MINUTE",
    "ROLLUPS",
    "SUMS",
    "WIDTH",
    "Rollup",
    "ddl",
    "fold",
    "forget_day",
)

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
FIVE_DAYS = 5 * DAY
WIDTH = 16
"""Buckets in a row of a histogram."""

KEYS: Mapping[str, str] = {
    "status": "status",
    **{
        name: f"coalesce({name}, '')"
        for name in ("service", "provider", "model", "route", "user_id", "error_type")
    },
}
"""What sums are kept by, as expressions over a call; the empty text stands for none."""

MEASURES: Mapping[str, str] = {
    "calls": "1",
    "rate_limited": "CASE WHEN status = 'error' AND http_status = 429 THEN 1 ELSE 0 END",
    "unpriced": "CASE WHEN cost_nanousd IS NULL AND (status <> 'error' OR prompt_tokens IS NOT NULL) "
    "THEN 1 ELSE 0 END",
    "estimated": "CASE WHEN usage_source = 'estimated' THEN 1 ELSE 0 END",
    "retries": "CASE WHEN attempt > 1 THEN 1 ELSE 0 END",
    "duplicates": "CASE WHEN duplicate_of IS NULL THEN 0 ELSE 1 END",
    "duplicate_nanousd": "CASE WHEN duplicate_of IS NULL THEN 0 ELSE coalesce(cost_nanousd, 0) END",
    **{
        name: f"coalesce({name}, 0)"
        for name in (
            *("cost_nanousd", "prompt_tokens", "completion_tokens", "cached_tokens", "cache_write_tokens"),
            *("reasoning_tokens", "duration_ms", "cache_missed_tokens", "cache_missed_nanousd"),
        )
    },
}
"""What is summed, as expressions over a call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollup:
    """One table."""

    name: str
    grain: int
    """Milliseconds of one step."""
    keys: tuple[str, ...]
    kept_ms: int | None = None
    """How far back it goes, where that is not for ever: what is finer than a day's question needs."""
    histogram: bool = False
    of: tuple[str, ...] = ()
    """What a question has to be about: to any other, it has more rows than finer tables of other keys."""

    @property
    def key_columns(self) -> tuple[str, ...]:
        return ("t", *self.keys, *(("timing", "block") if self.histogram else ()))

    @property
    def measures(self) -> tuple[str, ...]:
        return tuple(f"n{place}" for place in range(WIDTH)) if self.histogram else tuple(MEASURES)

    @property
    def is_empty(self) -> str:
        """A condition on a row: all that was folded in was folded out again."""
        return f"{' + '.join(self.measures)} = 0" if self.histogram else "calls = 0"


# What is filtered by comes first, so that it can be gone to directly.
_BY_MODEL = ("model", "provider", "status", "error_type", "service")
_BY_ROUTE = ("route", "status", "service")
_BY_BOTH = ("model", "route", "provider", "status", "error_type", "service")
_BY_USER = ("user_id", "status", "service")

SUMS = (
    Rollup(name="sum_minute_model", grain=MINUTE, keys=_BY_MODEL, kept_ms=3 * DAY),
    Rollup(name="sum_minute_route", grain=MINUTE, keys=_BY_ROUTE, kept_ms=3 * DAY),
    Rollup(name="sum_hour_model", grain=HOUR, keys=_BY_MODEL),
    Rollup(name="sum_hour_route", grain=HOUR, keys=_BY_ROUTE),
    Rollup(name="sum_hour_both", grain=HOUR, keys=_BY_BOTH),
    Rollup(name="sum_hour_user", grain=HOUR, keys=_BY_USER, kept_ms=35 * DAY),
    Rollup(name="sum_day_route", grain=DAY, keys=_BY_ROUTE),
    Rollup(name="sum_day_model", grain=DAY, keys=_BY_MODEL),
    Rollup(name="sum_day_both", grain=DAY, keys=_BY_BOTH),
    Rollup(name="sum_day_user", grain=DAY, keys=_BY_USER),
    # By it users are ranked, and of them there are the most: without the status it has half the rows.
    Rollup(name="sum_5days_user", grain=FIVE_DAYS, keys=("user_id", "service"), of=("user_id",)),
)
HISTOGRAMS = (
    Rollup(name="time_minute", grain=MINUTE, keys=("service",), kept_ms=3 * DAY, histogram=True),
    Rollup(name="time_hour", grain=HOUR, keys=("service",), histogram=True),
    Rollup(name="time_hour_model", grain=HOUR, keys=("model", "provider", "service"), histogram=True),
    Rollup(name="time_hour_route", grain=HOUR, keys=("route", "service"), histogram=True),
    Rollup(name="time_day", grain=DAY, keys=("service",), histogram=True),
    Rollup(name="time_day_model", grain=DAY, keys=("model", "provider", "service"), histogram=True),
    Rollup(name="time_day_route", grain=DAY, keys=("route", "service"), histogram=True),
    Rollup(name="time_day_both", grain=DAY, keys=("model", "route", "provider", "service"), histogram=True),
    Rollup(
        name="time_5days_model",
        grain=FIVE_DAYS,
        keys=("model", "provider", "service"),
        histogram=True,
        of=("model", "provider"),
    ),
    Rollup(
        name="time_5days_route", grain=FIVE_DAYS, keys=("route", "service"), histogram=True, of=("route",)
    ),
)
ROLLUPS = (*SUMS, *HISTOGRAMS)
_INTEGERS = {"t", "timing", "block"}


def ddl(rollup: Rollup, options: str = "") -> str:
    """The statement that makes the table; ``options`` is what the engine wants behind it."""
    columns = [
        *(f"{name} {'BIGINT' if name in _INTEGERS else 'TEXT'} NOT NULL" for name in rollup.key_columns),
        *(f"{name} BIGINT NOT NULL" for name in rollup.measures),
    ]
    return (
        f"CREATE TABLE {rollup.name} ({', '.join(columns)}, "
        f"PRIMARY KEY ({', '.join(rollup.key_columns)})){options}"
    )


def fold(
    connection: Connection, where: str, values: Mapping[str, Any], horizon: int, *, out: bool = False
) -> None:
    """Add the calls that ``where`` picks to all sums, or take them out.

    Args:
        connection: Inside a transaction.
        where: A condition on ``llm_calls``.
        values: Its parameters.
        horizon: What is kept for a while only is not kept before (``horizon`` - ``kept_ms``), Unix ms.
        out: Take out what was added before.
    """
    for rollup in ROLLUPS:
        oldest = 0 if rollup.kept_ms is None else horizon - rollup.kept_ms
        connection.execute(_folding(rollup, where, "-" if out else ""), {**values, "oldest": oldest})


def forget_day(connection: Connection, day: int) -> None:
    """Forget all sums of a day since the epoch, of which no call is left."""
    start, end = day * DAY, (day + 1) * DAY
    for rollup in ROLLUPS:
        if rollup.grain > DAY:  # its days are taken out of a longer step by their own sums
            daily = min(
                (
                    one
                    for one in ROLLUPS
                    if one.grain == DAY and set(rollup.key_columns) <= set(one.key_columns)
                ),
                key=lambda one: len(one.keys),
            )
            places = len(rollup.key_columns)
            source = (
                f"SELECT {', '.join((f't - t % {rollup.grain}', *rollup.key_columns[1:]))}, "
                f"{', '.join(f'-sum({name})' for name in rollup.measures)} FROM {daily.name} "
                f"WHERE t = {start} GROUP BY {_places(places)}"
            )
            connection.exec_driver_sql(_adding(rollup, source))
            connection.exec_driver_sql(
                f"DELETE FROM {rollup.name} WHERE t = {start - start % rollup.grain} AND {rollup.is_empty}"
            )
    for rollup in ROLLUPS:
        if rollup.grain <= DAY:
            connection.exec_driver_sql(f"DELETE FROM {rollup.name} WHERE t >= {start} AND t < {end}")


@lru_cache(maxsize=256)
def _folding(rollup: Rollup, where: str, sign: str) -> TextClause:
    where = f"({where}) AND +timestamp >= :oldest"
    step = f"timestamp - timestamp % {rollup.grain}"
    keys = ", ".join(KEYS[name] for name in rollup.keys)
    if rollup.histogram:
        source = " UNION ALL ".join(
            f"SELECT {step}, {keys}, {timing}, {column} / {WIDTH}, {_spread(column, sign)} FROM llm_calls "
            f"WHERE {where} AND status = 'success' AND {column} IS NOT NULL "
            f"GROUP BY {_places(len(rollup.key_columns))}"
            for timing, column in enumerate(("duration_bucket", "ttft_bucket"))
        )
        source = f"SELECT * FROM ({source}) AS counted WHERE 1 = 1"
    else:
        sums = ", ".join(f"{sign}sum({expression})" for expression in MEASURES.values())
        source = (
            f"SELECT {step}, {keys}, {sums} FROM llm_calls WHERE {where} "
            f"GROUP BY {_places(len(rollup.key_columns))}"
        )
    return text(_adding(rollup, source))


def _adding(rollup: Rollup, source: str) -> str:
    # In the order of the key: several that fold at once would else wait for each other for ever.
    columns = rollup.key_columns
    added = ", ".join(f"{name} = {rollup.name}.{name} + excluded.{name}" for name in rollup.measures)
    return (
        f"INSERT INTO {rollup.name} ({', '.join((*columns, *rollup.measures))}) {source} "
        f"ORDER BY {_places(len(columns))} ON CONFLICT ({', '.join(columns)}) DO UPDATE SET {added}"
    )


def _spread(column: str, sign: str) -> str:
    """A count for each of the buckets of a block."""
    return ", ".join(
        f"{sign}sum(CASE WHEN {column} % {WIDTH} = {place} THEN 1 ELSE 0 END)" for place in range(WIDTH)
    )


def _places(number: int) -> str:
    return ", ".join(str(place) for place in range(1, number + 1))
