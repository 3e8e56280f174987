"""The schema, as numbered steps. A released step is never changed; a new one is added below it.

Integers are 64 bits. The only indexes on the hot table are ordered by time: a random one would make every
insert write twelve times as much.
"""

import sqlite3
from collections.abc import Callable, Collection, Sequence

from miharu.errors import NewerDatabase, StoreError
from miharu.stores import ever
from miharu.stores.buckets import bucket_of
from miharu.stores.rollups import DAY, FIRST, ROLLUPS, ddl, named
from miharu.stores.sqlite import said
from miharu.stores.steps import MADE
from miharu.stores.unbelievable import CORRECTION

__all__ = ("APPLICATION_ID", "MARKS", "STEPS", "make_tables", "prepare", "sums_in", "version_of")

APPLICATION_ID = 0x4D494852
"""``MIHR``: marks the file as ours (``PRAGMA application_id``)."""

_CALLS = """
CREATE TABLE llm_calls (
    id TEXT PRIMARY KEY NOT NULL,
    timestamp INTEGER NOT NULL,
    model TEXT,
    prompt_tokens INTEGER,
    completion_tokens INTEGER,
    cost_cents REAL GENERATED ALWAYS AS (cost_nanousd / 1e7) VIRTUAL,
    duration_ms INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('success', 'error', 'cancelled')),
    cost_nanousd INTEGER,
    cost_source TEXT,
    price_version TEXT,
    request_model TEXT,
    provider TEXT,
    api TEXT NOT NULL,
    host TEXT,
    sdk TEXT,
    stream INTEGER NOT NULL,
    http_status INTEGER,
    error_type TEXT,
    error_message TEXT,
    retry_after_ms INTEGER,
    rate_limit TEXT,
    cached_tokens INTEGER,
    cache_write_tokens INTEGER,
    cache_write_5m_tokens INTEGER,
    cache_write_1h_tokens INTEGER,
    reasoning_tokens INTEGER,
    audio_input_tokens INTEGER,
    audio_output_tokens INTEGER,
    image_input_tokens INTEGER,
    image_output_tokens INTEGER,
    usage_source TEXT NOT NULL CHECK (usage_source IN ('provider', 'estimated', 'none')),
    usage_raw TEXT,
    ttft_ms INTEGER,
    finish_reason TEXT,
    service_tier TEXT,
    response_id TEXT,
    request_id TEXT,
    attempt INTEGER,
    call_group TEXT,
    body_hash TEXT,
    service TEXT,
    route TEXT,
    host_request_id TEXT,
    user_id TEXT,
    session_id TEXT,
    trace_id TEXT,
    span_id TEXT,
    parent_id TEXT,
    tags TEXT
) STRICT
"""

_ADDED = (
    "duplicate_of TEXT",
    "cache_missed_tokens INTEGER",
    "cache_missed_nanousd INTEGER",
    "duration_bucket INTEGER",
    "ttft_bucket INTEGER",
)
_SPANS = """
CREATE TABLE llm_spans (
    id TEXT PRIMARY KEY NOT NULL,
    trace_id TEXT NOT NULL,
    name TEXT NOT NULL,
    timestamp INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('success', 'error', 'cancelled')),
    parent_id TEXT,
    error_type TEXT,
    error_message TEXT,
    service TEXT,
    route TEXT,
    user_id TEXT,
    session_id TEXT,
    tags TEXT
) STRICT
"""
_OF_SPANS = ("kind", "input", "output", "error_stack")
_OF_TOOLS = "timestamp, name, status, duration_ms, error_type"
_SCORES = """
CREATE TABLE llm_scores (
    id TEXT PRIMARY KEY NOT NULL,
    timestamp INTEGER NOT NULL,
    name TEXT NOT NULL,
    value REAL NOT NULL,
    call_id TEXT,
    trace_id TEXT,
    comment TEXT
) STRICT
"""

_MARKERS = """
CREATE TABLE llm_markers (
    id TEXT PRIMARY KEY NOT NULL,
    timestamp INTEGER NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    service TEXT,
    tags TEXT
) STRICT
"""


_SCORED = """
CREATE TABLE miharu_scored (
    timestamp INTEGER NOT NULL,
    name TEXT NOT NULL,
    score_id TEXT NOT NULL,
    value REAL NOT NULL,
    call_id TEXT NOT NULL,
    model TEXT,
    provider TEXT,
    route TEXT,
    service TEXT,
    user_id TEXT,
    prompt_name TEXT,
    prompt_hash TEXT,
    PRIMARY KEY (timestamp, name, score_id)
) WITHOUT ROWID, STRICT
"""
"""Each score beside what it counts for: the time and the keys of a call, so that none has to be looked up."""
_UNPLACED = "CREATE TABLE miharu_unplaced (score_id TEXT PRIMARY KEY NOT NULL) WITHOUT ROWID, STRICT"
"""Scores that are not there yet."""
_SCORE_ADDED = """
CREATE TRIGGER miharu_score_added AFTER INSERT ON llm_scores
BEGIN INSERT OR IGNORE INTO miharu_unplaced VALUES (new.id); END
"""
_CALL_DELETED = """
CREATE TRIGGER miharu_call_deleted AFTER DELETE ON llm_calls
BEGIN DELETE FROM miharu_scored WHERE timestamp = old.timestamp AND call_id = old.id; END
"""
"""Whatever deletes a call: what has its keys goes with it."""


_SEGMENTS = """
CREATE TABLE miharu_segments (
    id INTEGER PRIMARY KEY,
    oldest INTEGER NOT NULL,
    newest INTEGER NOT NULL
) STRICT
"""
_REFERENCES = """
CREATE TABLE miharu_refs (
    segment INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    key TEXT NOT NULL,
    call INTEGER NOT NULL,
    PRIMARY KEY (segment, kind, key, call)
) WITHOUT ROWID, STRICT
"""
"""Where the calls of a user, session or trace are: sorted runs over some ten thousand calls each, because an
index over all of them would be written to at random."""

_PARTLY = """
CREATE TABLE miharu_partly (
    name TEXT PRIMARY KEY NOT NULL,
    upto INTEGER NOT NULL,
    keys TEXT NOT NULL
) WITHOUT ROWID, STRICT
"""
MARKS = {"folded": 1, "folded_at": 0, "referred": 1, "horizon": 0}
"""How far the tables that are derived from ``llm_calls`` have come; what is above is read from there.

``folded`` and ``referred`` are the first rowids that are not in the roll-ups and the references yet;
``folded_at`` is the timestamp of the last call folded in, by which a renumbering of the rows is noticed."""

_NEWEST = "(SELECT coalesce(max(timestamp), 0) FROM llm_calls)"


def make_tables(connection: sqlite3.Connection, names: Collection[str]) -> None:
    """Make those tables of sums that are not there."""
    for name in sorted(set(names) - sums_in(connection)):
        connection.execute(ddl(named(name), " WITHOUT ROWID, STRICT").replace("BIGINT", "INTEGER"))


def sums_in(connection: sqlite3.Connection) -> set[str]:
    """The tables of sums that there are: each takes a page, so it is made with its first row."""
    found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {name for (name,) in found} & {rollup.name for rollup in ROLLUPS}


def _make_folded(connection: sqlite3.Connection) -> None:
    make_tables(connection, [rollup.name for rollup in ROLLUPS if rollup.source is None])


def _leave_out_empty(connection: sqlite3.Connection) -> None:
    for name in sorted(sums_in(connection) & {rollup.name for rollup in MADE}):
        if connection.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone() is None:
            connection.execute(f"DROP TABLE {name}")
            connection.execute("DELETE FROM miharu_made WHERE name = ?", (name,))


def _fill_buckets(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TEMP TABLE buckets (ms INTEGER PRIMARY KEY, bucket INTEGER)")
    known = connection.execute(
        "SELECT duration_ms FROM llm_calls UNION SELECT ttft_ms FROM llm_calls WHERE ttft_ms IS NOT NULL"
    ).fetchall()
    for (ms,) in known:
        connection.execute("INSERT INTO buckets VALUES (?, ?)", (ms, bucket_of(ms)))
    connection.execute(
        "UPDATE llm_calls SET duration_bucket = (SELECT bucket FROM buckets WHERE ms = duration_ms), "
        "ttft_bucket = (SELECT bucket FROM buckets WHERE ms = ttft_ms)"
    )
    connection.execute("DROP TABLE buckets")


def _believe(connection: sqlite3.Connection) -> None:
    """Take out what cannot be; sums that had it in them are made anew."""
    if connection.execute(CORRECTION).rowcount > 0:
        for name in sorted(FIRST & sums_in(connection)):
            connection.execute(f"DELETE FROM {name}")
        for name in ("folded", "folded_at"):
            connection.execute("UPDATE miharu_meta SET value = ? WHERE key = ?", (MARKS[name], name))


STEPS: Sequence[Sequence[str | Callable[[sqlite3.Connection], None]]] = (
    (
        _CALLS,
        "CREATE INDEX llm_calls_timestamp ON llm_calls (timestamp)",
        "CREATE INDEX llm_calls_errors ON llm_calls (timestamp) WHERE status = 'error'",
        # zlib-compressed; no codec package is ever installed for it
        "CREATE TABLE llm_bodies (call_id TEXT PRIMARY KEY NOT NULL, request BLOB, response BLOB) STRICT",
        "CREATE TABLE miharu_meta (key TEXT PRIMARY KEY NOT NULL, value INTEGER NOT NULL) STRICT",
        "INSERT INTO miharu_meta VALUES ('revision', 0)",
    ),
    (
        "DROP INDEX llm_calls_errors",  # the roll-ups know where errors are
        *(f"ALTER TABLE llm_calls ADD COLUMN {column}" for column in _ADDED),
        _fill_buckets,
        "ALTER TABLE llm_bodies ADD COLUMN timestamp INTEGER",
        "UPDATE llm_bodies SET timestamp = (SELECT timestamp FROM llm_calls WHERE id = call_id)",
        "CREATE INDEX llm_bodies_timestamp ON llm_bodies (timestamp)",
        _SPANS,
        "CREATE INDEX llm_spans_timestamp ON llm_spans (timestamp)",
        "CREATE INDEX llm_spans_trace ON llm_spans (trace_id)",
        _SCORES,
        "CREATE INDEX llm_scores_timestamp ON llm_scores (timestamp)",
        "CREATE INDEX llm_scores_call ON llm_scores (call_id) WHERE call_id IS NOT NULL",
        "CREATE INDEX llm_scores_trace ON llm_scores (trace_id) WHERE trace_id IS NOT NULL",
        _make_folded,
        _SEGMENTS,
        _REFERENCES,
        *(f"INSERT INTO miharu_meta VALUES ('{name}', {value})" for name, value in MARKS.items()),
    ),
    (
        _believe,
        # How far each table has been added up, where that is done in whole steps.
        "CREATE TABLE miharu_made (name TEXT PRIMARY KEY NOT NULL, upto INTEGER NOT NULL) STRICT",
        *(
            f"INSERT INTO miharu_made SELECT '{rollup.name}', "
            f"CASE WHEN (SELECT value FROM miharu_meta WHERE key = 'folded') > 1 "
            f"THEN ({_NEWEST} / {DAY} + 1) * {DAY} ELSE 0 END"
            for rollup in MADE
            if rollup.name in FIRST
        ),
        f"INSERT INTO miharu_meta SELECT 'newest', {_NEWEST}",
        "CREATE TABLE miharu_frequent (user_id TEXT PRIMARY KEY NOT NULL) WITHOUT ROWID, STRICT",
        "INSERT INTO miharu_frequent VALUES ('')",  # calls without a user are found by no index
        "CREATE TABLE miharu_tags (name TEXT PRIMARY KEY NOT NULL) WITHOUT ROWID, STRICT",
    ),
    (
        _leave_out_empty,
        # What of a table's next step is in it already: the rows of its source up to some keys, as JSON.
        _PARTLY,
        # Tables whose rows are deleted little by little.
        "CREATE TABLE miharu_doomed (name TEXT PRIMARY KEY NOT NULL) WITHOUT ROWID, STRICT",
        # Sums of a user's own know nothing of what comes before.
        "ALTER TABLE miharu_frequent ADD COLUMN since INTEGER NOT NULL DEFAULT 0",
        # The run of references that grows begins with this call; a run that is there is whole.
        "INSERT INTO miharu_meta SELECT 'segment', value FROM miharu_meta WHERE key = 'referred'",
        "INSERT INTO miharu_meta VALUES ('swept', 0), ('sweeping', 0)",
    ),
    # What counters have said of calls that are gone, or that have changed.
    tuple(f"{statement} WITHOUT ROWID, STRICT".replace("BIGINT", "INTEGER") for statement in ever.DDL),
    # The largest calls of each hour: no statement, as a table is made with its first row. But an older miharu
    # would change calls without it.
    (),
    (
        # What a span was, was given and gave back, and where its error came from.
        *(f"ALTER TABLE llm_spans ADD COLUMN {name} TEXT" for name in _OF_SPANS),
        # Which tools were asked for, and which ran: both are looked for among the newest.
        "ALTER TABLE llm_calls ADD COLUMN tools TEXT",
        "CREATE INDEX llm_calls_tools ON llm_calls (timestamp, model, tools) WHERE tools IS NOT NULL",
        f"CREATE INDEX llm_spans_tools ON llm_spans ({_OF_TOOLS}) WHERE kind = 'execute_tool'",
        # Which call each score counts for, so that scores are added up by its keys.
        _SCORED,
        _UNPLACED,
        _SCORE_ADDED,
        _CALL_DELETED,
        "INSERT INTO miharu_unplaced SELECT id FROM llm_scores",
        # Which prompt a call had, and which version of it. Sums by it are made with their first row.
        "ALTER TABLE llm_calls ADD COLUMN prompt_name TEXT",
        "ALTER TABLE llm_calls ADD COLUMN prompt_hash TEXT",
        _MARKERS,
        "CREATE INDEX llm_markers_timestamp ON llm_markers (timestamp)",
        *said.DDL,
        *(f"INSERT INTO miharu_meta VALUES ('{name}', {value})" for name, value in said.MARKS.items()),
    ),
)


def prepare(connection: sqlite3.Connection, name: str) -> None:
    """Bring the schema up to date; it opens its own transaction, because WAL cannot be set inside one.

    Raises:
        NewerDatabase: A newer miharu wrote it.
        StoreError: The file is another program's.
    """
    owner = connection.execute("PRAGMA application_id").fetchone()[0]
    if owner != APPLICATION_ID and connection.execute("SELECT 1 FROM sqlite_master").fetchone():
        raise StoreError(f"{name} belongs to another program: name a file of its own for miharu.")
    if (version := version_of(connection)) > len(STEPS):
        raise NewerDatabase(
            f"{name} was written by a newer miharu (schema {version}, this one knows {len(STEPS)}), so it is "
            "read and not written to: upgrade miharu, or name another file."
        )
    if version == len(STEPS):
        return
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("BEGIN IMMEDIATE")
    try:
        _migrate(connection, version)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def version_of(connection: sqlite3.Connection) -> int:
    """How many of the steps the file has taken."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _migrate(connection: sqlite3.Connection, version: int) -> None:
    for number, step in enumerate(STEPS[version:], start=version + 1):
        for part in step:
            if callable(part):
                part(connection)
            else:
                connection.execute(part)
        connection.execute(f"PRAGMA user_version = {number}")
    if version == 0:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
