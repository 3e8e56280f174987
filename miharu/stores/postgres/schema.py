"""The schema, as numbered steps. A released step is never changed; a new one is added below it.

A key begins with the time, because the calls are partitioned by it (``partitions.py``). Text is compared byte
by byte, which is quick and the same everywhere. ``xid`` is the transaction that wrote the row: once it lies
below every transaction that still runs, nothing more can appear below it, however many write at once.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from miharu.errors import NoDatabase, StoreError
from miharu.stores import ever
from miharu.stores.rollups import DAY, EVER, FIRST, HISTOGRAMS, LARGEST, OF_PROMPTS, ddl, named
from miharu.stores.rollups import SUMS as SUM_TABLES
from miharu.stores.steps import MADE
from miharu.stores.unbelievable import CORRECTION

__all__ = ("CREATION", "STEPS", "SUMS", "lock", "look", "prepare")

CREATION, SUMS = 0x4D49_4852_0001, 0x4D49_4852_0002
"""Advisory locks: for making and dropping tables, and for changing calls that may be in a sum already."""

XID = "CAST(CAST(pg_current_xact_id() AS text) AS bigint)"

_CALLS = f"""
CREATE TABLE llm_calls (
    id TEXT COLLATE "C" NOT NULL,
    timestamp BIGINT NOT NULL,
    xid BIGINT NOT NULL DEFAULT {XID},
    duration_ms BIGINT NOT NULL,
    duration_bucket BIGINT,
    ttft_ms BIGINT,
    ttft_bucket BIGINT,
    prompt_tokens BIGINT,
    completion_tokens BIGINT,
    cost_nanousd BIGINT,
    cost_cents DOUBLE PRECISION GENERATED ALWAYS AS
        (CAST(cost_nanousd AS DOUBLE PRECISION) / CAST(10000000 AS DOUBLE PRECISION)) STORED,
    cached_tokens BIGINT,
    cache_write_tokens BIGINT,
    cache_write_5m_tokens BIGINT,
    cache_write_1h_tokens BIGINT,
    reasoning_tokens BIGINT,
    audio_input_tokens BIGINT,
    audio_output_tokens BIGINT,
    image_input_tokens BIGINT,
    image_output_tokens BIGINT,
    cache_missed_tokens BIGINT,
    cache_missed_nanousd BIGINT,
    stream BIGINT NOT NULL,
    attempt BIGINT,
    http_status BIGINT,
    retry_after_ms BIGINT,
    status TEXT COLLATE "C" NOT NULL CHECK (status IN ('success', 'error', 'cancelled')),
    usage_source TEXT COLLATE "C" NOT NULL CHECK (usage_source IN ('provider', 'estimated', 'none')),
    api TEXT COLLATE "C" NOT NULL,
    provider TEXT COLLATE "C",
    model TEXT COLLATE "C",
    request_model TEXT COLLATE "C",
    service TEXT COLLATE "C",
    route TEXT COLLATE "C",
    error_type TEXT COLLATE "C",
    error_message TEXT COLLATE "C",
    host TEXT COLLATE "C",
    sdk TEXT COLLATE "C",
    finish_reason TEXT COLLATE "C",
    service_tier TEXT COLLATE "C",
    cost_source TEXT COLLATE "C",
    price_version TEXT COLLATE "C",
    response_id TEXT COLLATE "C",
    request_id TEXT COLLATE "C",
    host_request_id TEXT COLLATE "C",
    call_group TEXT COLLATE "C",
    body_hash TEXT COLLATE "C",
    duplicate_of TEXT COLLATE "C",
    user_id TEXT COLLATE "C",
    session_id TEXT COLLATE "C",
    trace_id TEXT COLLATE "C",
    span_id TEXT COLLATE "C",
    parent_id TEXT COLLATE "C",
    rate_limit TEXT COLLATE "C",
    usage_raw TEXT COLLATE "C",
    tags TEXT COLLATE "C",
    PRIMARY KEY (timestamp, id)
) PARTITION BY RANGE (timestamp)
"""
_BODIES = """
CREATE TABLE llm_bodies (
    call_id TEXT COLLATE "C" NOT NULL,
    timestamp BIGINT NOT NULL,
    request BYTEA,
    response BYTEA,
    PRIMARY KEY (timestamp, call_id)
) PARTITION BY RANGE (timestamp)
"""
_SPANS = """
CREATE TABLE llm_spans (
    id TEXT COLLATE "C" PRIMARY KEY,
    timestamp BIGINT NOT NULL,
    duration_ms BIGINT NOT NULL,
    trace_id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL CHECK (status IN ('success', 'error', 'cancelled')),
    parent_id TEXT COLLATE "C",
    error_type TEXT COLLATE "C",
    error_message TEXT COLLATE "C",
    service TEXT COLLATE "C",
    route TEXT COLLATE "C",
    user_id TEXT COLLATE "C",
    session_id TEXT COLLATE "C",
    tags TEXT COLLATE "C"
)
"""
_OF_SPANS = ("kind", "input", "output", "error_stack")
_SCORES = """
CREATE TABLE llm_scores (
    id TEXT COLLATE "C" PRIMARY KEY,
    timestamp BIGINT NOT NULL,
    value DOUBLE PRECISION NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    call_id TEXT COLLATE "C",
    trace_id TEXT COLLATE "C",
    comment TEXT COLLATE "C"
)
"""
_MARKERS = """
CREATE TABLE llm_markers (
    id TEXT COLLATE "C" PRIMARY KEY,
    timestamp BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    service TEXT COLLATE "C",
    tags TEXT COLLATE "C"
)
"""
_PARTLY = """
CREATE TABLE miharu_partly (name TEXT COLLATE "C" PRIMARY KEY, upto BIGINT NOT NULL, keys TEXT NOT NULL)
"""
_CHANGES = "calls BIGINT NOT NULL, first BIGINT, last BIGINT"
_STATE = ("changes", "watermark", "xid_offset", "horizon")
_NEWEST = "(SELECT coalesce(max(timestamp), 0) FROM llm_calls)"


def _sums(*, first: bool) -> list[str]:
    return [
        _in_bytes(ddl(rollup))
        for rollup in (*SUM_TABLES, *HISTOGRAMS)
        if (rollup.name in FIRST) is first and rollup.name not in OF_PROMPTS
    ]


def _in_bytes(statement: str) -> str:
    """Text that is compared byte by byte."""
    return statement.replace("TEXT", 'TEXT COLLATE "C"')


# What cannot be is taken out; sums that had it in them are made anew, from changes that name all calls.
_BELIEVE = f"""
DO $$ BEGIN
{CORRECTION};
IF FOUND THEN
    {" ".join(f"DELETE FROM {name};" for name in sorted(FIRST))}
    UPDATE miharu_state SET watermark = 0;
    DELETE FROM miharu_changes;
    INSERT INTO miharu_changes (xid, calls, first, last)
        SELECT xid, count(*), min(timestamp), max(timestamp) FROM llm_calls GROUP BY xid;
END IF;
END $$
"""

_WORDS = (
    # Words of what was said, made later: see said.py.
    "ALTER TABLE llm_bodies ADD COLUMN said TSVECTOR",
    "CREATE INDEX llm_bodies_said ON llm_bodies USING gin (said)",
    "CREATE INDEX llm_bodies_unsaid ON llm_bodies (timestamp) WHERE said IS NULL",
)
STEPS: Sequence[Sequence[str]] = (
    (
        _CALLS,
        "CREATE INDEX llm_calls_xid ON llm_calls (xid)",
        *(
            f"CREATE INDEX llm_calls_{name} ON llm_calls ({name}, timestamp) WHERE {name} IS NOT NULL"
            for name in ("user_id", "session_id", "trace_id")
        ),
        _BODIES,
        # A clock that is wrong by decades must not make a partition for each of its days.
        *(
            f"CREATE TABLE {table}_{name} PARTITION OF {table} FOR VALUES FROM ({first}) TO ({last})"
            for table in ("llm_calls", "llm_bodies")
            for name, first, last in (
                ("before_2000", "MINVALUE", "946684800000"),
                ("after_2099", "4102444800000", "MAXVALUE"),
            )
        ),
        _SPANS,
        "CREATE INDEX llm_spans_timestamp ON llm_spans (timestamp)",
        "CREATE INDEX llm_spans_trace ON llm_spans (trace_id)",
        _SCORES,
        "CREATE INDEX llm_scores_timestamp ON llm_scores (timestamp)",
        "CREATE INDEX llm_scores_call ON llm_scores (call_id) WHERE call_id IS NOT NULL",
        "CREATE INDEX llm_scores_trace ON llm_scores (trace_id) WHERE trace_id IS NOT NULL",
        # One row for each transaction that changed something, until it is counted in miharu_state: no row
        # that every writer has to update, and where to look for calls that are in no sum yet.
        f"CREATE TABLE miharu_changes (xid BIGINT NOT NULL DEFAULT {XID}, {_CHANGES})",
        # Calls below the watermark are in the roll-ups. The horizon is where those that are kept for a while
        # count back from.
        f"CREATE TABLE miharu_state ({', '.join(f'{name} BIGINT NOT NULL' for name in _STATE)})",
        "INSERT INTO miharu_state VALUES (0, 0, 0, 0)",
        *_sums(first=True),
        "CREATE TABLE miharu_schema (version BIGINT NOT NULL)",
        "INSERT INTO miharu_schema VALUES (0)",
    ),
    (
        _BELIEVE,
        *_sums(first=False),
        # How far each table has been added up, where that is done in whole steps.
        'CREATE TABLE miharu_made (name TEXT COLLATE "C" PRIMARY KEY, upto BIGINT NOT NULL)',
        *(
            f"INSERT INTO miharu_made SELECT '{rollup.name}', "
            f"CASE WHEN watermark > 0 THEN ({_NEWEST} / {DAY} + 1) * {DAY} ELSE 0 END FROM miharu_state"
            for rollup in MADE
            if rollup.name in FIRST
        ),
        "ALTER TABLE miharu_state ADD COLUMN newest BIGINT NOT NULL DEFAULT 0",
        f"UPDATE miharu_state SET newest = {_NEWEST}",
        'CREATE TABLE miharu_frequent (user_id TEXT COLLATE "C" PRIMARY KEY)',
        "INSERT INTO miharu_frequent VALUES ('')",  # calls without a user are found by no index
        'CREATE TABLE miharu_tags (name TEXT COLLATE "C" PRIMARY KEY)',
    ),
    (
        # What of a table's next step is in it already: the rows of its source up to some keys, as JSON.
        _PARTLY,
        # Sums of a user's own know nothing of what comes before.
        "ALTER TABLE miharu_frequent ADD COLUMN since BIGINT NOT NULL DEFAULT 0",
    ),
    # Sums of all time, and what counters have said of calls that are gone, or that have changed.
    tuple(_in_bytes(statement) for statement in (*map(ddl, EVER), *ever.DDL)),
    # The largest calls of each hour.
    tuple(_in_bytes(ddl(rollup)) for rollup in LARGEST),
    (
        # What a span was, was given and gave back, and where its error came from.
        *(_in_bytes(f"ALTER TABLE llm_spans ADD COLUMN {name} TEXT") for name in _OF_SPANS),
        # Which tools were asked for, and which ran: both are looked for among the newest.
        _in_bytes("ALTER TABLE llm_calls ADD COLUMN tools TEXT"),
        "CREATE INDEX llm_calls_tools ON llm_calls (timestamp) WHERE tools IS NOT NULL",
        "CREATE INDEX llm_spans_tools ON llm_spans (timestamp) WHERE kind = 'execute_tool'",
        # Which prompt a call had, and which version of it.
        *(
            f'ALTER TABLE llm_calls ADD COLUMN {name} TEXT COLLATE "C"'
            for name in ("prompt_name", "prompt_hash")
        ),
        *(_in_bytes(ddl(named(name))) for name in sorted(OF_PROMPTS)),
        _MARKERS,
        "CREATE INDEX llm_markers_timestamp ON llm_markers (timestamp)",
        *_WORDS,
    ),
)


def lock(connection: Connection, key: int) -> None:
    """Wait until no other session holds it; it is let go of at the end of the transaction."""
    connection.exec_driver_sql("SELECT pg_advisory_xact_lock($1)", (key,))


def look(connection: Connection, name: str) -> None:
    """Whether it can be read.

    Raises:
        NoDatabase: There are no tables of miharu's.
        StoreError: An older or newer miharu made them.
    """
    version = _version(connection)
    if not version:
        raise NoDatabase(f"There are no calls in {name} yet.")
    if version < len(STEPS):
        raise StoreError(
            f"{name} was made by an older miharu (schema {version}, this one needs {len(STEPS)}): "
            "let a program that records start with this miharu, which brings it up to date."
        )


def prepare(connection: Connection, name: str) -> None:
    """Bring the schema up to date; as many processes as may be can do so at once.

    Raises:
        StoreError: A newer miharu made it, or its names are taken.
    """
    if _version(connection) != len(STEPS):
        lock(connection, CREATION)
        _migrate(connection, name)
    _follow_restore(connection)


def _version(connection: Connection) -> int | None:
    if not _exists(connection, "miharu_schema"):
        return None
    return int(connection.exec_driver_sql("SELECT version FROM miharu_schema").scalar_one())


def _exists(connection: Connection, table: str) -> bool:
    # to_regclass may know from before the lock that there was none: waiting for a lock that is on no table,
    # the server does not hear what others have made meanwhile.
    found = "SELECT EXISTS (SELECT FROM pg_class WHERE relname = $1 AND pg_table_is_visible(oid))"
    return bool(connection.exec_driver_sql(found, (table,)).scalar_one())


def _migrate(connection: Connection, name: str) -> None:
    version = _version(connection)
    if version is None and _exists(connection, "llm_calls"):
        raise StoreError(
            f"{name} has a table llm_calls that is not miharu's: give miharu a database or a schema of its "
            "own."
        )
    if version is not None and version > len(STEPS):
        raise StoreError(
            f"{name} was made by a newer miharu (schema {version}, this one knows {len(STEPS)}): it can be "
            "read, and to record into it, upgrade miharu."
        )
    for step in STEPS[version or 0 :]:
        for statement in step:
            connection.exec_driver_sql(statement)
    connection.exec_driver_sql("UPDATE miharu_schema SET version = $1", (len(STEPS),))


def _follow_restore(connection: Connection) -> None:
    """Go on counting where a backup ended: a server that it was restored on may be behind in transactions."""
    behind = (
        "SELECT greatest(watermark, (SELECT max(xid) FROM miharu_changes)) + 1 FROM miharu_state "
        "WHERE greatest(watermark, (SELECT max(xid) FROM miharu_changes)) > xid_offset + "
        "CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint)"
    )
    if connection.exec_driver_sql(behind).first() is None:
        return
    lock(connection, CREATION)
    lock(connection, SUMS)
    offset = connection.exec_driver_sql(behind).scalar()
    if offset is not None:
        for table in ("llm_calls", "miharu_changes"):
            connection.exec_driver_sql(f"ALTER TABLE {table} ALTER xid SET DEFAULT {XID} + {int(offset)}")
        connection.exec_driver_sql("UPDATE miharu_state SET xid_offset = $1", (offset,))
