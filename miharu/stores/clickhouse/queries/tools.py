"""Which tools were asked for, and which ran, of the newest."""

from miharu.batch import TOOL
from miharu.stores.base import SPANS_LOOKED_THROUGH, TOOL_STEPS, Query, Tools
from miharu.stores.clickhouse.client.database import Database
from miharu.stores.clickhouse.client.literals import literal
from miharu.stores.clickhouse.tables.conditions import during, equal, live
from miharu.stores.clickhouse.tables.narrowing import narrowed
from miharu.stores.tooling import OF_RUNS, SPANS_ASKED, asked_tools, ran_tools

__all__ = ("tools",)


def tools(database: Database, query: Query) -> Tools:
    window = during(query.start, query.end)
    calls = (
        f"FROM llm_calls WHERE {window} AND {live(query.start, query.end)} AND isNotNull(tools) "
        f"ORDER BY timestamp DESC LIMIT {SPANS_LOOKED_THROUGH}"
    )
    step = f"intDiv((timestamp - {literal(query.start)}) * {TOOL_STEPS}, {max(1, query.end - query.start)})"
    asked = database.query(
        f"SELECT assumeNotNull(tools), model, {step} AS step, count(), max(timestamp) "
        f"FROM (SELECT * {calls}) WHERE {equal(query)} GROUP BY tools, model, step"
    )
    spans = (
        f"FROM llm_spans WHERE {window} AND kind = {literal(TOOL)} ORDER BY timestamp DESC, id "
        f"LIMIT 1 BY timestamp, id LIMIT {SPANS_LOOKED_THROUGH}"
    )
    given = [
        f"{name} = {literal(value)}" for name in SPANS_ASKED if (value := getattr(query, name)) is not None
    ]
    of_spans = [one for one in query.conditions if one.field in SPANS_ASKED]
    given += narrowed(of_spans, query.start, "llm_spans")
    ran = database.query(
        f"SELECT {', '.join(OF_RUNS)} FROM (SELECT * {spans}) WHERE {' AND '.join(given) or '1'}"
    )
    return Tools(
        asked=asked_tools(
            query,
            ((names, model, int(step), int(number), int(last)) for names, model, step, number, last in asked),
        ),
        ran=ran_tools(
            query,
            (
                (name, status, int(ms), kind, int(at), trace, tags)
                for name, status, ms, kind, at, trace, tags in ran
            ),
        ),
        asked_since=_since(database, calls),
        ran_since=_since(database, spans),
    )


def _since(database: Database, newest: str) -> int | None:
    """From when on they were looked through, where that are as many as are at most."""
    ((number, first),) = database.query(f"SELECT count(), min(timestamp) FROM (SELECT timestamp {newest})")
    return int(first) if int(number) == SPANS_LOOKED_THROUGH else None
