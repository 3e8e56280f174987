"""Which tools were asked for, and which ran, of the newest."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, text

from miharu.batch import TOOL
from miharu.stores.base import SPANS_LOOKED_THROUGH, TOOL_STEPS, AskedTool, Query, RanTool, Tools
from miharu.stores.rollups import KEYS
from miharu.stores.sql.conditions import narrowing
from miharu.stores.sql.source import Engine, filters_of, tagging
from miharu.stores.tooling import MOST_TOOLS, OF_RUNS, SPANS_ASKED, asked_tools, ran_tools

__all__ = ("tools",)

_WINDOW = "timestamp >= :start AND timestamp < :end"


def tools(connection: Connection, engine: Engine, query: Query) -> Tools:
    asked, asked_since = _asked(connection, engine, query)
    ran, ran_since = _ran(connection, engine, query)
    return Tools(asked=asked, ran=ran, asked_since=asked_since, ran_since=ran_since)


def _asked(connection: Connection, engine: Engine, query: Query) -> tuple[Sequence[AskedTool], int | None]:
    filters = filters_of(query)
    narrow = narrowing(query, engine.dialect)
    conditions = [f"{KEYS.get(name, name)} = :{name}" for name in filters]
    values: dict[str, Any] = {**filters, **narrow.values, "start": query.start, "end": query.end}
    columns = dict.fromkeys(("*",) if query.conditions else ("timestamp", "model", "tools", *filters))
    if query.tag is not None:
        conditions.append(tagging(engine))
        name, value = query.tag
        values |= {"tag_name": name, "tag_value": value, "tag_written": json.dumps(value)}
        columns |= {} if "*" in columns else {"tags": None}
    newest = (
        f"FROM llm_calls WHERE {_WINDOW} AND tools IS NOT NULL ORDER BY timestamp DESC "
        f"LIMIT {SPANS_LOOKED_THROUGH}"
    )
    length = max(1, query.end - query.start)
    step = f"(timestamp - {int(query.start)}) * {TOOL_STEPS} / {length}"
    rows = connection.execute(
        text(
            f"SELECT tools, model, step, count(*) AS number, max(timestamp) AS last FROM "
            f"(SELECT *, {step} AS step FROM (SELECT {', '.join(columns)} {newest}) AS llm_calls "
            f"WHERE {' AND '.join(conditions) or '1 = 1'}{narrow.calls}) AS asked GROUP BY tools, model, step"
        ),
        values,
    )
    return asked_tools(query, (tuple(row) for row in rows)), _since(connection, newest, query)


def _ran(connection: Connection, engine: Engine, query: Query) -> tuple[Sequence[RanTool], int | None]:
    given = {name: value for name in SPANS_ASKED if (value := getattr(query, name)) is not None}
    of_spans = tuple(one for one in query.conditions if one.field in SPANS_ASKED)
    narrow = narrowing(replace(query, conditions=of_spans), engine.dialect)
    asked = (*given, *(one.field for one in of_spans))
    columns = dict.fromkeys((*OF_RUNS, *asked))
    newest = (
        f"FROM llm_spans WHERE {_WINDOW} AND kind = '{TOOL}' ORDER BY timestamp DESC "
        f"LIMIT {SPANS_LOOKED_THROUGH}"
    )
    # of many names most are not in the answer, so their spans need not be read
    most = (
        ""
        if any(one.field == "tools" for one in query.conditions)
        else " WHERE name IN "
        f"(SELECT name FROM ran GROUP BY name ORDER BY count(*) DESC, name LIMIT {MOST_TOOLS})"
    )
    rows = connection.execute(
        text(
            f"WITH ran AS MATERIALIZED (SELECT {', '.join(OF_RUNS)} FROM "
            f"(SELECT {', '.join(columns)} {newest}) AS looked_through "
            f"WHERE {' AND '.join(f'{name} = :{name}' for name in given) or '1 = 1'}{narrow.calls}) "
            f"SELECT * FROM ran{most}"
        ),
        {**given, **narrow.values, "start": query.start, "end": query.end},
    )
    return ran_tools(query, rows.all()), _since(connection, newest, query)


def _since(connection: Connection, newest: str, query: Query) -> int | None:
    """From when on they were looked through, where that are as many as are at most."""
    number, first = connection.execute(
        text(f"SELECT count(*), min(timestamp) FROM (SELECT timestamp {newest}) AS looked_through"),
        {"start": query.start, "end": query.end},
    ).one()
    return first if number == SPANS_LOOKED_THROUGH else None
