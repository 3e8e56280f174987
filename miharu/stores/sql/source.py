"""The calls of a query, put together: roll-ups, and the calls themselves at the edges and above the mark."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import gcd
from typing import Any, Protocol, cast, get_args

from sqlalchemy import Connection, text

from miharu.conditions.language import MOST_VALUES
from miharu.conditions.matching import leaves_out
from miharu.stores.base import By, ByTag, Dimension, Query, Searched
from miharu.stores.cover import Piece, cover, suited
from miharu.stores.rollups import HOUR, KEYS, LONGEST_TAG, SUMS, Rollup
from miharu.stores.sql.conditions import Dialect, Narrowing, narrowing
from miharu.stores.sql.snapshot import frequent_since, is_frequent, once
from miharu.stores.sql.wider import BY_MODEL, Wider, are_most, providers_of, wider

__all__ = (
    "LOOKED_UP",
    "Engine",
    "Marks",
    "Source",
    "Steps",
    "checked",
    "divided",
    "filters_of",
    "has_sums",
    "is_kept",
    "is_led",
    "led_to",
    "searched",
    "source",
    "tagging",
    "usable",
    "where",
)

_FILTERS = (*get_args(Dimension), "session_id", "trace_id", "call_group")
LOOKED_UP = ("trace_id", "session_id", "user_id")
"""Few calls among many share one: an index leads to them."""
_FEW = {"trace_id": MOST_VALUES, "session_id": 20, "user_id": 20}
"""Those that a look-up leads to at once."""
_KNOWN = {*KEYS, "tag", "tag_value"}
_PARAMETERS = {"tag": "tag_name"}
_STEPS_NAMED = 800
_PLAIN = "timestamp >= :start AND timestamp < :end"
_WINDOW = "+timestamp >= :start AND +timestamp < :end"
"""The window, where something else leads to the few calls that are meant: the plus keeps the engine from
walking through the whole of it."""


_ToUsers = Callable[[tuple[str, str]], str]


@dataclass(frozen=True, slots=True)
class Marks:
    """The state of the roll-ups: how far each has come."""

    folded: int
    """Calls whose place in the engine's sequence is below this are in the roll-ups; the others are not."""
    horizon: int
    """The moment from which the roll-ups that are kept for a while count back, Unix milliseconds."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """Further parameters of ``Engine.above``."""
    made: Mapping[str, int] = field(default_factory=dict)
    """How far each table that is added up in whole steps has come, Unix milliseconds."""


class Lookup(Protocol):
    """A condition that leads to the calls of some users, sessions or traces quicker than a scan."""

    def __call__(self, column: str, names: Sequence[str], window: tuple[str, str] = ..., /) -> str:
        """From the column and the parameters that hold them, and those that hold the window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """The SQL that differs between databases."""

    read_marks: Callable[[Connection], Marks]
    below: str
    """A condition on ``llm_calls``: folded into the roll-ups. Its parameter is ``:mark``."""
    above: str
    """A condition on ``llm_calls``: not folded into the roll-ups yet."""
    tagged: str = "CAST(tags AS json) ->> CAST(:tag_name AS text) = :tag_value"
    """A condition: the call has that tag. Its parameters are ``:tag_name``, ``:tag_value``, and
    ``:tag_written`` for the value as it stands in the JSON."""
    tag_key: str = (
        "coalesce(CASE WHEN length(CAST(tags AS json) ->> CAST(:by_tag AS text)) "
        f"<= {LONGEST_TAG} THEN CAST(tags AS json) ->> CAST(:by_tag AS text) END, '')"
    )
    """An expression over a call: the value of its tag ``:by_tag``, or the empty text."""
    contains: str = "position(lower(CAST(:matching AS text)) in lower(key)) > 0"
    """A condition on a ``key``: it has ``:matching`` in it, in upper or lower case."""
    window: str = _WINDOW
    """The query's window, where something else leads to the few calls that are meant."""
    dialect: Dialect = field(default_factory=Dialect)
    """How conditions are written."""
    when: Callable[[str], int] | None = None
    """When a call started, from its id; ``None`` where the call is looked up by it."""
    said: Callable[[Connection, Query], tuple[str, dict[str, Any]]] = lambda *_: ("1 = 0", {})
    """A condition on ``llm_calls``: the words of the query were said. And its parameters, of which
    ``:words_most`` is how many of the newest calls are looked through."""
    searched: Callable[[Connection, Query], Searched] = lambda *_: Searched(kept=0, indexed=0)
    """How many calls of the window can be searched."""
    lookup: Lookup | None = None
    """``None`` where an index leads to the calls of a user."""
    lookup_within: Callable[[str, str, Sequence[tuple[int, int]]], str] | None = None
    """Where there is ``lookup``: a condition that leads to the calls of one user, session or trace in some
    windows, and to some others."""

    scored: str = "miharu_scored"
    """Scores beside the call that each counts for, as what can stand behind ``FROM``: those of calls from
    ``:start`` on at least. Their ``timestamp`` is that of the call."""

    def marks(self, connection: Connection) -> Marks:
        """How far the roll-ups have come in this snapshot."""
        return once(connection, "marks", partial(self.read_marks, connection))

    def within(self, query: Query, windows: Sequence[tuple[int, int]]) -> str:
        """A ``FROM … WHERE …`` for the calls of the query's user in some windows, and for some others."""
        if self.lookup_within is not None and query.user_id:
            return f"FROM llm_calls WHERE {self.lookup_within('user_id', 'user_id', windows)}"
        held = ", ".join(f"({first}, {last})" for first, last in windows)
        return (
            f"FROM (VALUES {held}) AS held CROSS JOIN llm_calls "
            "WHERE timestamp >= column1 AND timestamp < column2"
        )


@dataclass(frozen=True, slots=True)
class Steps:
    """What time is divided by: steps begin at the offset plus any multiple of their length."""

    length: int
    offset: int = 0

    def of(self, column: str) -> str:
        """The beginning of the step that a moment is in, as an expression."""
        length, offset = int(self.length), int(self.offset) % int(self.length)
        return f"{column} - ({column} - {offset}) % {length}" if offset else f"{column} - {column} % {length}"

    @property
    def grain(self) -> int:
        """What the steps of a table have to divide."""
        return gcd(self.length, self.offset)

    def between(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Each step of the time."""
        at = start
        while at < end:
            upto = min(end, at - (at - self.offset) % self.length + self.length)
            yield at, upto
            at = upto


@dataclass(frozen=True, slots=True)
class Source:
    """The pieces, each as a ``FROM … WHERE …``, and their parameters."""

    folded: tuple[tuple[Rollup, str], ...]
    raw: tuple[str, ...]
    values: Mapping[str, Any]
    less: tuple[tuple[Rollup, str], ...] = ()
    """What is taken off again: it is in ``folded``, and not meant."""


def source(
    connection: Connection,
    engine: Engine,
    query: Query,
    rollups: Sequence[Rollup],
    *,
    by: By | None = None,
    among: Sequence[str] | None = None,
    steps: Steps | None = None,
    also: Sequence[str] = (),
    measures: Sequence[str] = (),
    frequent: bool | None = None,
    since: int = 0,
    ignoring: frozenset[str] = frozenset(),
    valued: bool = False,
    signed: bool = False,
) -> Source:
    """Where to read what the query means, every call of it in exactly one piece.

    Args:
        connection: In the snapshot that will be read.
        engine: Whose SQL it is.
        query: Which calls.
        rollups: The tables that hold the measure.
        by: What the answer is grouped by.
        among: Only these values of ``by``, if not all; the empty text for none.
        steps: What the time is divided by.
        also: Further keys that the answer is made from.
        measures: What is asked of the tables.
        frequent: Whether ``among`` are users with many calls, or with few; ``None`` where that is not known.
        since: Since when those with many calls have sums of their own.
        ignoring: Filters that all rows of the roll-ups meet.
        valued: Only calls that have the tag by which they are told apart, as all have in the roll-ups.
        signed: Whether something can be taken off again.
    """
    marks = engine.marks(connection)
    filters = filters_of(query)
    values: dict[str, Any] = {
        **filters,
        **marks.values,
        "mark": marks.folded,
        "start": query.start,
        "end": query.end,
    }
    by_keys = dict(filters)
    if query.tag is not None:
        by_keys |= dict(zip(("tag", "tag_value"), query.tag, strict=True))
    narrow = narrowing(query, engine.dialect)
    needed = {*by_keys, *_keys_of(by), *also, *narrow.keys} - ignoring
    values |= narrow.values
    known = usable(connection, query, rollups, frequent=frequent, by=by) if needed <= _KNOWN else ()
    parts, grain = _divided_by(query, steps)
    tables = [] if frequent is False else suited(known, needed, grain, measures)
    chosen = every = ""
    names: dict[str, str] = {}
    if by and among is not None:
        names = {f"among{number}": value for number, value in enumerate(among)}
        values |= names
        chosen = f" AND {{}} IN ({', '.join(f':{name}' for name in names)})"
        every = chosen.format(_column(engine, by)[1])
    with_tag, of_tag = _tagged(engine, by, valued=valued)
    values |= of_tag
    every += with_tag
    led = (str(by), list(names)) if frequent is not None and all(names.values()) else None
    direct, direct_values = where(connection, query, engine, led)
    direct += every
    every += "".join(f" AND {_equal(name, value)}" for name, value in filters.items())
    every += narrow.calls
    if query.tag is not None:
        every += f" AND {tagging(engine)}"
        values |= direct_values
    column = _column(engine, by)[0] if by else ""
    equal = "".join(
        f" AND {name} = :{_PARAMETERS.get(name, name)}" for name in by_keys if name not in ignoring
    )
    equal += (" AND tag = :by_tag" if of_tag else "") + chosen.format(column)
    sought = {
        *by_keys,
        *({column} if chosen else ()),
        *({"tag"} if of_tag else ()),
        *narrow.sought,
    } - ignoring
    if query.user_id is not None:
        since = frequent_since(connection, query.user_id) or 0
    pieces = [
        piece for part in parts for piece in cover(*part, tables, marks.horizon, marks.made, since=since)
    ]
    beyond = None  # of many parts it would be too many pieces
    if signed and tables and (steps is None or grain is not None):
        asked = {*by_keys, *_keys_of(by), *also}
        beyond = wider(
            narrow,
            needed - asked,
            tables,
            lambda key, *others: suited(known, {*needed, *others} - {key}, grain, measures),
            are_most=lambda like: are_most(connection, marks.made, query, like, narrow.values),
            providers_of=lambda like: providers_of(
                connection, _by_models(pieces, marks), like, narrow.values
            ),
        )
        values |= beyond.values if beyond else {}
    reading = _Reading(marks, by_keys, sought, equal, narrow, ignoring)
    folded, less = reading.of(pieces, beyond, since)
    if not folded:  # nothing is gained by the mark
        return Source((), (f"FROM llm_calls WHERE {direct}",), values | direct_values)
    edges, of_edges = _edges(pieces, _to_users(engine, query, by, names))
    raw = [f"FROM llm_calls WHERE {edge} AND {engine.below}{every}" for edge in edges]
    raw.append(f"FROM llm_calls WHERE {engine.above} AND {engine.window}{every}")
    return Source(tuple(folded), tuple(raw), values | of_edges, tuple(less))


@dataclass(frozen=True, slots=True)
class _Reading:
    """How rows of sums are read: those that are meant, and gone to as directly as possible."""

    marks: Marks
    filters: Collection[str]
    sought: Collection[str]
    equal: str
    """What the query asks for beside its conditions."""
    narrow: Narrowing
    ignoring: frozenset[str]

    def of(
        self, pieces: Iterable[Piece], beyond: Wider | None, since: int
    ) -> tuple[list[tuple[Rollup, str]], list[tuple[Rollup, str]]]:
        """What is added up, and what is taken off again."""
        folded: list[tuple[Rollup, str]] = []
        less: list[tuple[Rollup, str]] = []
        for piece in pieces:
            if piece.rollup is None:
                continue
            if beyond and (instead := beyond.instead_of(piece, self.marks.horizon, self.marks.made, since)):
                others = self.narrow.sums({*self.ignoring, beyond.key}) + beyond.meant
                sought = {*self.sought, *beyond.led}
                folded += (self._one(other, sought, others) for other in instead)
                if not beyond.providers:
                    less.append(self._one(piece, sought, f"{others} AND {beyond.left_out}", beyond.like))
            else:
                condition, like = self.narrow.sums(self.ignoring), self.narrow.like.get("model", "")
                folded.append(self._one(piece, self.sought, condition, like))
        return folded, less

    def _one(
        self, piece: Piece, sought: Collection[str], condition: str, like: str = ""
    ) -> tuple[Rollup, str]:
        assert piece.rollup is not None
        window = _to_steps(piece, self.marks, sought, self.filters, like)
        return piece.rollup, f"FROM {piece.rollup.name} WHERE {window}{self.equal}{condition}"


def _by_models(pieces: Iterable[Piece], marks: Marks) -> Iterator[Piece]:
    """The pieces in the tables by model."""
    for piece in pieces:
        if piece.rollup is not None:
            yield from cover(piece.start, piece.end, BY_MODEL, marks.horizon, marks.made)


def _divided_by(query: Query, steps: Steps | None) -> tuple[Iterable[tuple[int, int]], int | None]:
    """The parts of the window that are covered one by one, and what the steps of a table have to divide."""
    if steps is not None and steps.offset and steps.grain < HOUR <= steps.length:
        # Days of India begin at half past: hours inside of each, and finer ones at its edges.
        return steps.between(query.start, query.end), None
    return ((query.start, query.end),), None if steps is None else steps.grain


def _column(engine: Engine, by: By) -> tuple[str, str]:
    """What tells the rows of a roll-up apart by that, and what the calls."""
    return ("tag_value", engine.tag_key) if isinstance(by, ByTag) else (checked(by), KEYS[by])


def _tagged(engine: Engine, by: By | None, *, valued: bool) -> tuple[str, Mapping[str, str]]:
    """Where calls are told apart by a tag: a condition on those that have one, and its parameter."""
    if not isinstance(by, ByTag):
        return "", {}
    return f" AND tags IS NOT NULL AND {engine.tag_key} <> ''" if valued else "", {"by_tag": by.name}


def _edges(pieces: Iterable[Piece], to_users: _ToUsers | None) -> tuple[list[str], dict[str, int]]:
    """Leads to the calls of the pieces that no roll-up covers; and the parameters."""
    edges: list[str] = []
    values: dict[str, int] = {}
    for piece in pieces:
        if piece.rollup is not None:
            continue
        if to_users is None or piece.end - piece.start <= HOUR:
            edges.append(_window("timestamp", piece))
        else:  # so long a time has many calls of others
            window = (f"from{len(edges)}", f"upto{len(edges)}")
            values |= zip(window, (piece.start, piece.end), strict=True)
            edges.append(f"{to_users(window)} AND {_window('+timestamp', piece)}")
    return edges, values


def _to_users(engine: Engine, query: Query, by: By | None, names: Mapping[str, str]) -> _ToUsers | None:
    """What leads to the calls of the users that are meant, between two parameters."""
    if engine.lookup is None:
        return None
    if query.user_id:
        return partial(engine.lookup, "user_id", ("user_id",))
    if by == "user_id" and names and all(names.values()):
        return partial(engine.lookup, "user_id", list(names))
    return None


def has_sums(
    connection: Connection,
    engine: Engine,
    query: Query,
    by: By | None = None,
) -> bool:
    """Whether sums answer for that query, or few calls; else its calls are looked through one by one."""
    if query.session_id is not None or query.trace_id is not None:
        return True
    if query.user_id is not None and not is_frequent(connection, query.user_id):
        return True
    return is_kept(connection, engine, query, by)


def is_kept(connection: Connection, engine: Engine, query: Query, by: By | None) -> bool:
    """Whether there are tables of sums by all that the query names, and by what it is told apart by."""
    narrow = narrowing(query, engine.dialect)
    needed = {
        *filters_of(query),
        *_keys_of(by),
        *(("tag", "tag_value") if query.tag else ()),
        *narrow.keys,
    }
    if "user_id" in narrow.keys and by != "user_id":
        return False  # of some users there are sums, but none by model or route, and no times
    return needed <= _KNOWN and bool(suited(usable(connection, query, SUMS, by=by), needed, None, ("calls",)))


def _keys_of(by: By | None) -> Collection[str]:
    """The keys of a roll-up that tell its rows apart by that."""
    if isinstance(by, ByTag):
        return ("tag", "tag_value")
    return (by,) if by else ()


def usable(
    connection: Connection,
    query: Query,
    rollups: Sequence[Rollup],
    *,
    frequent: bool | None = None,
    by: By | None = None,
) -> list[Rollup]:
    """The tables that hold all calls of the query, of those with the tag that they are told apart by.

    ``frequent`` says of users whether they have many calls, where the query names none.
    """
    failed = query.error_type is not None or query.status not in {None, "success"}
    failed = failed or leaves_out(query.conditions, status="success", error_type="")
    if query.user_id is not None:
        frequent = is_frequent(connection, query.user_id)
    tagged = query.tag is not None and _has_sums(connection, *query.tag)
    if isinstance(by, ByTag):  # a table is kept by one tag at a time
        tagged = query.tag is None and _has_sums(connection, by.name)
    of_tags = query.tag is not None or isinstance(by, ByTag)
    return [
        rollup
        for rollup in rollups
        if (failed or not rollup.of_failed)
        # where a user's rows are not together, all users' would be read
        and (query.user_id is None or "user_id" not in rollup.keys[1:])
        and (frequent or not rollup.of_frequent)
        and (tagged or not of_tags)
        and rollup.of_tags is of_tags
    ]


def _has_sums(connection: Connection, name: str, value: str = "") -> bool:
    def look() -> bool:
        found = connection.execute(text("SELECT 1 FROM miharu_tags WHERE name = :name"), {"name": name})
        return found.first() is not None

    return len(value) <= LONGEST_TAG and once(connection, ("tag", name), look)


def tagging(engine: Engine) -> str:
    """A condition on ``llm_calls``: it has the tag of the query."""
    return f"tags IS NOT NULL AND {engine.tagged}"


def _window(column: str, piece: Piece) -> str:
    return f"{column} >= {piece.start} AND {column} < {piece.end}"


def _to_steps(
    piece: Piece, marks: Marks, sought: Collection[str], filters: Collection[str], like: str
) -> str:
    """Leads to the steps of a piece, and there to what is sought, as far as the order of the table allows.

    ``like`` says which models are meant, where these are not named.
    """
    assert piece.rollup is not None
    first, second, *_ = (*piece.rollup.keys, "", "")
    if first in sought:
        return _steps(piece)
    window = None
    if first == "model" and ("provider" in filters or like):
        of_provider = " AND provider = :provider" if "provider" in filters else ""
        window = _by_model(piece, marks, of_provider + (f" AND {like}" if like else ""))
    elif (first, second) == ("model", "route") and "route" in sought:
        window = _by_model(piece, marks)
    return window or _window("t", piece)


def _by_model(piece: Piece, marks: Marks, which: str = "") -> str | None:
    """Leads to a route by way of all models, or to a provider by way of its own, or to some of a pattern.

    A table that begins with the model is else read as a whole.
    """
    assert piece.rollup is not None
    models = f"sum_{'hour' if piece.rollup.grain == HOUR else 'day'}_model"
    if piece.rollup.name == models or piece.rollup.grain % HOUR or marks.made.get(models, 0) < piece.end:
        return None
    return f"{_steps(piece)} AND model IN (SELECT model FROM {models} WHERE {_window('t', piece)}{which})"


def _steps(piece: Piece) -> str:
    """The steps one by one: with the key that follows in the table, each is gone to directly."""
    assert piece.rollup is not None
    steps = range(piece.start, piece.end, piece.rollup.grain)
    return f"t IN ({', '.join(map(str, steps))})" if len(steps) <= _STEPS_NAMED else _window("t", piece)


def where(
    connection: Connection,
    query: Query,
    engine: Engine,
    among: tuple[str, Sequence[str]] | None = None,
    *,
    led: bool = False,
) -> tuple[str, dict[str, Any]]:
    """A condition on ``llm_calls`` itself, and its parameters.

    Args:
        connection: In the snapshot that will be read.
        query: Which calls.
        engine: Whose SQL it is.
        among: Only those of some users, sessions or traces: the column, and the parameters that hold them.
        led: Whether something else leads to the few calls that are meant.
    """
    filters = filters_of(query)
    conditions = [_equal(name, value) for name, value in filters.items()]
    if among is None and not led:
        among = led_to(connection, query, engine)
    elif among is not None:
        conditions.append(f"{among[0]} IN ({', '.join(f':{name}' for name in among[1])})")
    window = engine.window if led or query.words else _PLAIN
    if among is not None and engine.lookup is not None:
        window = f"{engine.lookup(*among)} AND {_WINDOW}"
    narrow = narrowing(query, engine.dialect)
    values: dict[str, Any] = {**filters, **narrow.values, "start": query.start, "end": query.end}
    if query.tag is not None:
        conditions.append(tagging(engine))
        name, value = query.tag
        values |= {"tag_name": name, "tag_value": value, "tag_written": json.dumps(value)}
    if query.words:
        said, words = engine.said(connection, query)
        conditions.append(said)
        values |= words
    return " AND ".join((window, *conditions)) + narrow.calls, values


def searched(connection: Connection, engine: Engine, query: Query) -> Searched:
    """How many calls of the window can be searched for words."""
    return engine.searched(connection, query)


def is_led(connection: Connection, query: Query, engine: Engine) -> bool:
    """Whether the condition leads to the calls with some words, or to the few of a user, session or trace."""
    leads = bool(query.words) or led_to(connection, query, engine) is not None
    return engine.lookup is not None and leads


def led_to(connection: Connection, query: Query, engine: Engine) -> tuple[str, Sequence[str]] | None:
    """A column whose value, or whose few values, few calls among many have; and their parameters."""
    for name in LOOKED_UP:
        if getattr(query, name):
            return name, (name,)
    narrow = narrowing(query, engine.dialect)
    for name in LOOKED_UP:
        names = narrow.led.get(name, ())
        if 0 < len(names) <= _FEW[name] and not (
            name == "user_id" and any(is_frequent(connection, narrow.values[one]) for one in names)
        ):
            return name, names
    return None


def _equal(name: str, value: str) -> str:
    """A condition on a call; the empty text stands for none, as it does in the roll-ups."""
    return f"{name} = :{name}" if value else f"{KEYS.get(name, name)} = :{name}"


def checked(by: Any) -> Dimension:
    """The dimension, if it is one.

    Raises:
        ValueError: It is not a dimension; without this check it would become SQL.
    """
    if by not in get_args(Dimension):
        raise ValueError(f"by={by!r}: choose one of {', '.join(get_args(Dimension))}.")
    return cast("Dimension", by)


def divided(engine: Engine, by: By | None, steps: Steps | None) -> dict[str, tuple[str, str]]:
    """What an answer is divided by, as expressions over a roll-up and over a call.

    What it is not divided by is left out: an engine that groups by something constant sorts for nothing.
    """
    parts: dict[str, tuple[str, str]] = {}
    if steps:
        parts["step"] = (steps.of("t"), steps.of("timestamp"))
    if by:
        parts["key"] = _column(engine, by)
    return parts


def filters_of(query: Query) -> dict[str, str]:
    """What a query asks for beside the time, by column."""
    return {name: value for name in _FILTERS if (value := getattr(query, name)) is not None}
