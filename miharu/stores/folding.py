"""Adding calls to the sums, and taking them out again: statements for whichever engine keeps them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from miharu.stores.rollups import CALLS, DAY, KEYS, LONGEST_TAG, MEASURES, ROLLUPS, WIDTH, Rollup, named

__all__ = (
    "Execute",
    "Fold",
    "Partly",
    "add_calls",
    "add_finer",
    "add_slice",
    "fold",
    "forget_day",
    "partly_upto",
    "slice_of",
    "stage",
)

Execute = Callable[[str, Mapping[str, Any]], Iterable[Any]]
"""Runs a statement whose parameters are written as ``:name``, and returns its rows; inside a transaction."""

_NEEDED = (
    *("timestamp", "status", "service", "provider", "model", "route", "user_id", "error_type", "tags"),
    *("prompt_name", "prompt_hash"),
    *("http_status", "usage_source", "attempt", "duplicate_of", "cost_nanousd", "prompt_tokens"),
    *("completion_tokens", "cached_tokens", "cache_write_tokens", "reasoning_tokens", "duration_ms"),
    *("cache_missed_tokens", "cache_missed_nanousd", "duration_bucket", "ttft_bucket", "ttft_ms"),
)
"""The columns of a call that sums are made from."""
_STAGE = "miharu_stage"
_EVER = 2**62
_WHOLE = "t >= :start AND t < :end"
_CONDITIONS = {
    (False, False): "timestamp < :before",
    (False, True): "timestamp < :before",
    (True, False): "(timestamp < :before OR ({have}))",
    (True, True): "timestamp < :before AND NOT ({have})",
}
"""Which calls are added, by whether a table has a part of a step, and whether only the rest is wanted."""
_FREQUENT = "coalesce(user_id, '') IN (SELECT user_id FROM miharu_frequent)"


@dataclass(frozen=True, slots=True)
class Partly:
    """How far a table has come inside of a step of its source that has too many rows for one transaction."""

    upto: int
    """The end of that step, Unix ms."""
    keys: tuple[str, ...]
    """The rows of the source up to these keys are in the table, beside all that is before the step."""

    @property
    def values(self) -> Mapping[str, Any]:
        """The parameters of ``_up_to``."""
        return {"step_end": self.upto, **{f"key{place}": key for place, key in enumerate(self.keys)}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """How far the sums have come, and what an engine's SQL calls things."""

    horizon: int
    """What is kept for a while only is not kept before (``horizon`` - ``kept_ms``), Unix ms."""
    made: Mapping[str, int]
    """For each table with a source the moment up to which it has been added up, Unix ms."""
    partly: Mapping[str, Partly] = field(default_factory=dict)
    """The tables that have come further, with a part of the step that follows."""
    tags: frozenset[str] = frozenset()
    """The names of the tags by which sums are kept."""
    grouped: bool = True
    """Whether rows of one key are added up before they are added to a table: an engine may refuse to change a
    row twice in a statement, but where it does not, sorting them costs more than it saves."""
    tag_value: str = ""
    """An expression over a call: the value of its tag ``:tag``."""
    temporary: str = ""
    """What the engine wants behind the name of a table that is needed in this transaction only; without it
    the table stays, because statements have to be prepared anew for each new one."""

    def oldest(self, rollup: Rollup) -> int:
        return 0 if rollup.kept_ms is None else self.horizon - rollup.kept_ms

    def concerned(self, first: int) -> list[Rollup]:
        """The tables that have a call in them already which began then."""
        return [
            rollup
            for rollup in ROLLUPS
            if rollup.source is None
            or self.made.get(rollup.name, 0) > first
            or (rollup.name in self.partly and self.partly[rollup.name].upto > first)
        ]


def fold(execute: Execute, where: str, values: Mapping[str, Any], so_far: Fold, *, out: bool = False) -> None:
    """Add the calls that ``where`` picks to all sums that have come so far, or take them out.

    Args:
        execute: Of the engine.
        where: A condition on ``llm_calls``.
        values: Its parameters.
        so_far: How far the sums have come.
        out: Take out what was added before.
    """
    stage(execute, where, values, so_far)
    ((first,),) = execute(f"SELECT min(timestamp) FROM {_STAGE}", {})
    if first is None:
        return
    for rollup in so_far.concerned(first):
        add_calls(execute, rollup, so_far, out=out)


def stage(execute: Execute, where: str, values: Mapping[str, Any], so_far: Fold) -> None:
    """Put aside what sums need of the calls that ``where`` picks: a call is wide, and there are many sums."""
    chosen = f"SELECT {', '.join(_NEEDED)} FROM {CALLS} WHERE"
    if so_far.temporary:
        execute(f"DROP TABLE IF EXISTS {_STAGE}", {})
        execute(f"CREATE TEMPORARY TABLE {_STAGE} {so_far.temporary} AS {chosen} {where}", values)
    else:
        execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS {_STAGE} AS {chosen} 1 = 0", {})
        execute(f"DELETE FROM {_STAGE}", {})
        execute(f"INSERT INTO {_STAGE} {chosen} {where}", values)


def add_calls(
    execute: Execute, rollup: Rollup, so_far: Fold, *, out: bool = False, rest: bool = False
) -> None:
    """Add the calls that were put aside to one table, as far as it has come.

    Args:
        execute: Of the engine.
        rollup: The table.
        so_far: How far it has come.
        out: Take them out.
        rest: Only those that it does not have yet by a part of a step.
    """
    if out and rollup.largest:
        return  # the next smaller value is not known, and an upper bound is all that is asked for
    partly = so_far.partly.get(rollup.name)
    condition = _CONDITIONS[partly is not None, rest]
    statement = _folding(rollup, "-" if out else "", so_far.tag_value, condition, grouped=so_far.grouped)
    upto = _EVER if rollup.source is None else so_far.made.get(rollup.name, 0)
    parameters = {"oldest": so_far.oldest(rollup), "before": upto, **(partly.values if partly else {})}
    if rollup.of_tags:
        for tag in sorted(so_far.tags):
            execute(statement, {**parameters, "tag": tag})
    else:
        execute(statement, parameters)


def add_finer(execute: Execute, rollup: Rollup, start: int, end: int, *, grouped: bool) -> None:
    """Add the steps of its source in [start, end)."""
    execute(
        _adding(rollup, _from_finer(rollup, grouped=grouped), grouped=grouped), {"start": start, "end": end}
    )


def add_slice(
    execute: Execute,
    rollup: Rollup,
    start: int,
    keys: tuple[Sequence[str] | None, Sequence[str] | None],
    *,
    grouped: bool,
) -> None:
    """Add one step of its source, above the first keys and up to the others."""
    where, values = slice_of(named(rollup.source or ""), start, *keys)
    execute(_adding(rollup, _from_finer(rollup, grouped=grouped, where=where), grouped=grouped), values)


def slice_of(
    source: Rollup, start: int, after: Sequence[str] | None, until: Sequence[str] | None = None
) -> tuple[str, Mapping[str, Any]]:
    """A condition for the rows of a step between keys, and its parameters."""
    where, values = "t = :start", dict[str, Any]({"start": start})
    for sign, name, keys in ((">", "after", after), ("<=", "until", until)):
        if keys is not None:
            where += f" AND ({', '.join(source.keys)}) {sign} ({_numbered(name, len(keys))})"
            values |= {f"{name}{place}": key for place, key in enumerate(keys)}
    return where, values


def forget_day(execute: Execute, day: int, so_far: Fold) -> None:
    """Forget all sums of a day since the epoch, of which no call is left."""
    start, end = day * DAY, (day + 1) * DAY
    for rollup in ROLLUPS:
        # Its days are taken out of a longer step by their own sums, if they are in it.
        if rollup.grain > DAY and so_far.made.get(rollup.name, 0) >= end:
            _take_out(execute, rollup, _WHOLE, {"start": start, "end": end})
        elif rollup.grain > DAY and start < partly_upto(so_far, rollup) <= end:
            keys = so_far.partly[rollup.name].keys
            where, values = slice_of(named(rollup.source or ""), start, None, keys)
            _take_out(execute, rollup, where, values)
        if rollup.grain > DAY:
            execute(
                f"DELETE FROM {rollup.name} WHERE t = {start - start % rollup.grain} AND {rollup.is_empty}",
                {},
            )
    for rollup in ROLLUPS:
        if rollup.grain <= DAY:
            execute(f"DELETE FROM {rollup.name} WHERE t >= {start} AND t < {end}", {})


def _take_out(execute: Execute, rollup: Rollup, where: str, values: Mapping[str, Any]) -> None:
    execute(_adding(rollup, _from_finer(rollup, grouped=True, sign="-", where=where), grouped=True), values)


def partly_upto(so_far: Fold, rollup: Rollup) -> int:
    """The end of the step of which it has a part, or 0."""
    partly = so_far.partly.get(rollup.name)
    return partly.upto if partly else 0


@lru_cache(maxsize=512)
def _folding(rollup: Rollup, sign: str, tag_value: str, condition: str, *, grouped: bool) -> str:
    known = dict(KEYS)
    if rollup.of_tags:
        known |= {"tag": "CAST(:tag AS text)", "tag_value": tag_value}
    where = f"timestamp >= :oldest AND {condition.format(have=_up_to(rollup, known))}"
    if rollup.of_failed:
        where += " AND status <> 'success'"
    if rollup.of_frequent:
        where += f" AND {_FREQUENT}"
    if rollup.of_tags:
        where += f" AND tags IS NOT NULL AND length({tag_value}) <= {LONGEST_TAG}"
    step = f"timestamp - timestamp % {rollup.grain}"
    keys = ", ".join(known[name] for name in rollup.keys)
    end = f" GROUP BY {_places(len(rollup.key_columns))}" if grouped else ""
    if rollup.histogram:
        source = " UNION ALL ".join(
            f"SELECT {step}, {keys}, {timing}, {column} / {WIDTH}, "
            f"{_spread(column, sign, grouped=grouped)} FROM {_STAGE} "
            f"WHERE {where} AND status = 'success' AND {column} IS NOT NULL{end}"
            for timing, column in enumerate(("duration_bucket", "ttft_bucket"))
        )
        source = f"SELECT * FROM ({source}) AS counted WHERE 1 = 1"
    else:
        if rollup.largest:
            measures = ", ".join(_largest(name, grouped=grouped) for name in rollup.measures)
        else:
            measures = ", ".join(_summed(MEASURES[name], sign, grouped=grouped) for name in rollup.measures)
        source = f"SELECT {step}, {keys}, {measures} FROM {_STAGE} WHERE {where}{end}"
    return _adding(rollup, source, grouped=grouped)


def _up_to(rollup: Rollup, known: Mapping[str, str]) -> str:
    """A condition on a call: it is in the part of a step that the table has."""
    if rollup.source in {None, CALLS}:
        return "1 = 0"
    keys = named(rollup.source or "").keys
    columns = ", ".join(known[name] for name in keys)
    return f"timestamp < :step_end AND ({columns}) <= ({_numbered('key', len(keys))})"


def _numbered(name: str, number: int) -> str:
    return ", ".join(f":{name}{place}" for place in range(number))


def _from_finer(rollup: Rollup, *, grouped: bool, sign: str = "", where: str = _WHOLE) -> str:
    end = f" GROUP BY {_places(len(rollup.key_columns))}" if grouped else ""
    return (
        f"SELECT {', '.join((f't - t % {rollup.grain}', *rollup.key_columns[1:]))}, "
        f"{', '.join(_summed(name, sign, grouped=grouped) for name in rollup.measures)} FROM {rollup.source} "
        f"WHERE {where}{end}"
    )


def _summed(expression: str, sign: str, *, grouped: bool) -> str:
    return f"{sign}sum({expression})" if grouped else f"{sign}({expression})"


def _largest(column: str, *, grouped: bool) -> str:
    return f"max(coalesce({column}, 0))" if grouped else f"coalesce({column}, 0)"


def _adding(rollup: Rollup, source: str, *, grouped: bool) -> str:
    # In the order of the key: several that fold at once would else wait for each other for ever.
    columns = rollup.key_columns
    order = f"ORDER BY {_places(len(columns))} " if grouped else ""
    merged = "{old}.{name} + excluded.{name}"
    if rollup.largest:
        merged = "CASE WHEN excluded.{name} > {old}.{name} THEN excluded.{name} ELSE {old}.{name} END"
    added = ", ".join(f"{name} = {merged.format(name=name, old=rollup.name)}" for name in rollup.measures)
    return (
        f"INSERT INTO {rollup.name} ({', '.join((*columns, *rollup.measures))}) {source} "
        f"{order}ON CONFLICT ({', '.join(columns)}) DO UPDATE SET {added}"
    )


def _spread(column: str, sign: str, *, grouped: bool) -> str:
    """A count for each of the buckets of a block."""
    return ", ".join(
        _summed(f"CASE WHEN {column} % {WIDTH} = {place} THEN 1 ELSE 0 END", sign, grouped=grouped)
        for place in range(WIDTH)
    )


def _places(number: int) -> str:
    return ", ".join(str(place) for place in range(1, number + 1))
