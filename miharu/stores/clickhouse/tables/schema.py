"""The tables: on one server, or on all nodes of a cluster.

Calls are in order of time; what leads to those of one user, session, trace or tag is an index of Bloom
filters, which says of each eight thousand calls whether there can be one. An empty text stands for none.
"""

from collections.abc import Iterator, Mapping
from functools import partial

from miharu.errors import NewerDatabase, NoDatabase, StoreError
from miharu.stores.clickhouse.client.database import Database
from miharu.stores.clickhouse.client.literals import literal, quoted_name
from miharu.stores.clickhouse.tables.counting import COUNTERS, views
from miharu.stores.clickhouse.tables.measures import MATERIALIZED, OF_PROMPTS, PROJECTIONS
from miharu.stores.columns import CALLS, MARKERS, SCORES, SPANS
from miharu.stores.words import ROLES

__all__ = ("BODIES", "TYPES", "VERSION", "changes", "local", "look", "on_cluster", "prepare", "statements")

VERSION = 2
_FEW, _FEW_OR_NONE = "LowCardinality(String)", "LowCardinality(Nullable(String))"
_TEXT, _NUMBER = "Nullable(String)", "Nullable(Int64)"
_CALL_TYPES: Mapping[str, str] = {
    **dict.fromkeys(("id", "user_id", "session_id", "trace_id"), "String"),
    **dict.fromkeys(("timestamp", "duration_ms", "duration_bucket", "stream"), "Int64"),
    **dict.fromkeys(
        (
            *("status", "usage_source", "api", "model", "provider", "route", "service", "error_type"),
            *("prompt_name", "prompt_hash"),
        ),
        _FEW,
    ),
    **dict.fromkeys(
        ("request_model", "host", "sdk", "finish_reason", "service_tier", "cost_source", "price_version"),
        _FEW_OR_NONE,
    ),
    **dict.fromkeys(
        (
            *("error_message", "response_id", "request_id", "host_request_id", "call_group", "body_hash"),
            *("duplicate_of", "span_id", "parent_id", "rate_limit", "usage_raw", "tags", "tools"),
        ),
        _TEXT,
    ),
}
_SPAN_TYPES = {
    **dict.fromkeys(("id", "trace_id", "name"), "String"),
    **dict.fromkeys(("timestamp", "duration_ms"), "Int64"),
    "status": _FEW,
    "kind": _FEW_OR_NONE,
}
_SCORE_TYPES = {
    **dict.fromkeys(("id", "name"), "String"),
    "timestamp": "Int64",
    "value": "Float64",
}
_MARKER_TYPES = {
    **dict.fromkeys(("id", "name", "kind"), "String"),
    "timestamp": "Int64",
}
BODIES: Mapping[str, str] = {
    "call_id": "String",
    "timestamp": "Int64",
    "version": "UInt32",
    "request": _TEXT,
    "response": _TEXT,
    **{f"said_{role}": "String" for role in ROLES},
    "is_said": "UInt8",
}
"""The columns of ``llm_bodies``. The engine packs them: what prompts have in common is kept once."""
TYPES: Mapping[str, Mapping[str, str]] = {
    "llm_calls": {
        **{name: _CALL_TYPES.get(name, _NUMBER) for name in CALLS},
        "version": "UInt32",
        "sign": "Int8",
    },
    "llm_bodies": BODIES,
    "llm_spans": {name: _SPAN_TYPES.get(name, _TEXT) for name in SPANS},
    "llm_scores": {name: _SCORE_TYPES.get(name, _TEXT) for name in SCORES},
    "llm_markers": {name: _MARKER_TYPES.get(name, _TEXT) for name in MARKERS},
}
"""The columns of each table that are written."""
_CODECS = {"timestamp": "CODEC(Delta, ZSTD(1))", "request": "CODEC(ZSTD(3))", "response": "CODEC(ZSTD(3))"}
_PACKED = "CODEC(ZSTD(1))"
_WRITTEN = "written Int64 DEFAULT toUnixTimestamp64Micro(now64(6)) CODEC(Delta, ZSTD(1))"
"""When the server took the row, Unix microseconds: what is new since the last look."""
_EARLINESS = "earliness Int64 DEFAULT -toUnixTimestamp64Micro(now64(6))"
"""Of two with the same id the engine keeps the one in which this is larger: the first."""
_NEWEST = "PROJECTION newest (SELECT max(written))"
_STATUS = "CONSTRAINT known_status CHECK status IN ('success', 'error', 'cancelled')"
_MONTH = "toYYYYMM(toDateTime(intDiv(timestamp, 1000), 'UTC'))"
_TIME = "time DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(timestamp, 'UTC')"
"""For those who query the tables themselves."""


_TAG_PAIRS = (
    "tag_pairs Array(String) MATERIALIZED arrayMap(pair -> concat(pair.1, '\\0', pair.2), "
    f"JSONExtractKeysAndValues(ifNull(tags, ''), 'String')) {_PACKED}"
)


def _led_to(name: str, what: str | None = None) -> str:
    return f"INDEX {name}_of {what or name} TYPE bloom_filter(0.01) GRANULARITY 1"


_SAID = tuple(
    # which of a few thousand words there can be in each two thousand calls
    f"INDEX words_{role} said_{role} TYPE tokenbf_v1(65536, 3, 0) GRANULARITY 1"
    for role in ROLES
)
_MORE: Mapping[str, tuple[str, ...]] = {
    "llm_calls": (
        _WRITTEN,
        _TIME,
        "cost_cents Nullable(Float64) ALIAS cost_nanousd / 1e7",
        _TAG_PAIRS,
        *(f"{column} {_PACKED}" for column in MATERIALIZED),
        *map(_led_to, ("user_id", "session_id", "trace_id", "response_id", "call_group")),
        _led_to("tag", "tag_pairs"),
        "INDEX changed sign TYPE minmax GRANULARITY 1",
        _STATUS,
        "CONSTRAINT known_source CHECK usage_source IN ('provider', 'estimated', 'none')",
        *PROJECTIONS,
        _NEWEST,
    ),
    "llm_bodies": _SAID,
    "llm_spans": (_WRITTEN, _TIME, _led_to("trace_id"), _STATUS, _NEWEST),
    "llm_scores": (_WRITTEN, _TIME, _led_to("call_id"), _led_to("trace_id"), _NEWEST),
    "llm_markers": (_WRITTEN, _TIME, _EARLINESS, _NEWEST),
}
_SINCE_1: Mapping[str, tuple[str, ...]] = {
    "llm_calls": ("tools", "prompt_name", "prompt_hash"),
    "llm_spans": ("kind", "input", "output", "error_stack"),
    "llm_bodies": (*(f"said_{role}" for role in ROLES), "is_said"),
}
"""Columns that tables of version 1 do not have."""
_ORDER = {
    "llm_calls": "timestamp, id",
    "llm_bodies": "timestamp, call_id",
    "llm_spans": "timestamp, id",
    "llm_scores": "timestamp, id",
    "llm_markers": "id",
}
_SHARDED_BY = {
    "llm_calls": "id",
    "llm_bodies": "call_id",
    "llm_spans": "trace_id",
    "llm_scores": "id",
    "llm_markers": "id",
}
"""What of one call, or of one trace, has to lie on one node."""
_SETTINGS = "lightweight_mutation_projection_mode = 'rebuild', deduplicate_merge_projection_mode = 'rebuild'"
_WINDOW = "non_replicated_deduplication_window = 1000"
"""Inserts whose tokens are remembered; replicated tables remember them anyway."""
_ALONE = f"{_SETTINGS}, {_WINDOW}"


def on_cluster(cluster: str | None) -> str:
    """What stands behind the name of a table that is made or changed on each node."""
    return f" ON CLUSTER {quoted_name(cluster)}" if cluster else ""


def local(table: str, cluster: str | None) -> str:
    """The table that has the rows of a node."""
    return f"{table}_local" if cluster else table


def statements(cluster: str | None = None) -> Iterator[str]:
    """What makes the tables: first the one that says that they are miharu's."""
    where = on_cluster(cluster)
    engine = partial(_engine, cluster=cluster, everywhere=True)
    yield (
        f"CREATE TABLE IF NOT EXISTS miharu_schema{where} (version UInt32) "
        f"ENGINE = {engine('miharu_schema')} ORDER BY version"
    )
    yield (
        f"CREATE TABLE IF NOT EXISTS miharu_changes{where} (written Int64) "
        f"ENGINE = {engine('miharu_changes')} ORDER BY written "
        "TTL toDateTime(intDiv(written, 1000000)) + INTERVAL 7 DAY"
    )
    for table, columns in TYPES.items():
        parts = [f"{name} {kind} {_CODECS.get(name, _PACKED)}" for name, kind in columns.items()]
        yield (
            f"CREATE TABLE IF NOT EXISTS {local(table, cluster)}{where} "
            f"({', '.join((*parts, *_MORE[table]))}) ENGINE = {_engine(table, cluster)} "
            f"PARTITION BY {_MONTH} ORDER BY ({_ORDER[table]}) SETTINGS {_SETTINGS if cluster else _ALONE}"
        )
        if cluster:
            yield _leading(table, cluster, f"cityHash64({_SHARDED_BY[table]})")
    for table, (columns, keys) in COUNTERS.items():
        parts = [f"{name} {kind}" for name, kind in columns.items()]
        yield (
            f"CREATE TABLE IF NOT EXISTS {local(table, cluster)}{where} ({', '.join(parts)}) "
            f"ENGINE = {_engine(table, cluster)} ORDER BY ({', '.join(list(columns)[:keys])})"
            + ("" if cluster else f" SETTINGS {_WINDOW}")
        )
        if cluster:
            yield _leading(table, cluster, "rand()")
    yield from views(local("llm_calls", cluster), "_local" if cluster else "", where)


def changes(cluster: str | None = None) -> Iterator[str]:
    """What brings tables of version 1 up to date: the columns that have come since, and the sums by prompt.

    Parts that are there keep no such sums, and are read call by call; what they cost has no prompt anyway.
    """
    where = on_cluster(cluster)
    for table, columns in _SINCE_1.items():
        for column in columns:
            added = f"ADD COLUMN IF NOT EXISTS {column} {TYPES[table][column]}"
            yield f"ALTER TABLE {local(table, cluster)}{where} {added} {_CODECS.get(column, _PACKED)}"
            if cluster:
                yield f"ALTER TABLE {table}{where} {added}"
    for projection in OF_PROMPTS:
        added = projection.replace("PROJECTION", "ADD PROJECTION IF NOT EXISTS", 1)
        yield f"ALTER TABLE {local('llm_calls', cluster)}{where} {added}"
    for index in _SAID:
        added = index.replace("INDEX ", "ADD INDEX IF NOT EXISTS ", 1)
        yield f"ALTER TABLE {local('llm_bodies', cluster)}{where} {added}"


def _leading(table: str, cluster: str, shard: str) -> str:
    rows = local(table, cluster)
    return (
        f"CREATE TABLE IF NOT EXISTS {table}{on_cluster(cluster)} AS {rows} ENGINE = "
        f"Distributed({literal(cluster)}, currentDatabase(), {literal(rows)}, {shard})"
    )


def prepare(database: Database) -> None:
    """Make what is missing.

    Raises:
        NewerDatabase: A newer miharu made it.
        StoreError: Its tables are not miharu's, or it cannot be used.
    """
    version = _version(database)
    if version == VERSION:
        return
    if version is not None and version > VERSION:
        raise NewerDatabase(
            f"{database.name} was made by a newer miharu (schema {version}, this one knows {VERSION}): it "
            "can be read, and to record into it, upgrade miharu."
        )
    if version is None and _exists(database, "llm_calls") and not _exists(database, "miharu_schema"):
        raise StoreError(
            f"{database.name} has a table llm_calls that is not miharu's: give miharu a database of its own."
        )
    cluster = database.address.cluster
    for statement in (*(changes(cluster) if version == 1 else ()), *statements(cluster)):
        database.command(statement)
    database.insert("miharu_schema", {"version": "UInt32"}, [[VERSION]], token=f"schema {VERSION}")


def look(database: Database) -> None:
    """See whether there is something to read.

    Raises:
        NoDatabase: There is no table yet.
        StoreError: It cannot be used.
    """
    if not _exists(database, "miharu_schema"):
        raise NoDatabase(f"{database.name} has no tables of miharu's yet: they come with the first call.")


def _version(database: Database) -> int | None:
    if not _exists(database, "miharu_schema"):
        return None
    ((version, rows),) = database.query("SELECT max(version), count() FROM miharu_schema")
    return int(version) if rows else None


def _exists(database: Database, table: str) -> bool:
    return bool(database.query(f"EXISTS TABLE {table}")[0][0])


def _engine(table: str, cluster: str | None, *, everywhere: bool = False) -> str:
    kind = "MergeTree"
    if table in COUNTERS:
        kind = "SummingMergeTree"
    elif table not in {"llm_calls", "miharu_changes"}:
        kind = "ReplacingMergeTree"
    more = {"llm_bodies": ["version"], "llm_markers": ["earliness"]}.get(table, [])
    if not cluster:
        return f"{kind}({', '.join(more)})"
    shard = "" if everywhere else "{shard}/"
    path = f"/clickhouse/tables/{shard}{{database}}/{local(table, cluster) if not everywhere else table}"
    return f"Replicated{kind}({', '.join([literal(path), literal('{replica}'), *more])})"
