"""Which versions of a prompt were called when."""

from collections.abc import Sequence

from sqlalchemy import Connection, text

from miharu.stores.base import MOST_VERSIONS, Query, Versions
from miharu.stores.rollups import KEYS, SUMS
from miharu.stores.sql.source import Engine, Source, Steps, source

__all__ = ("versions",)


def versions(  # noqa: PLR0917 - as the question has it
    connection: Connection,
    engine: Engine,
    query: Query,
    names: Sequence[str],
    step_ms: int,
    offset_ms: int = 0,
) -> Sequence[Versions]:
    counted = _counted(connection, engine, query, names)
    few = [name for name, number in counted.items() if number <= MOST_VERSIONS]
    points: dict[str, list[tuple[int, str | None, int]]] = {name: [] for name in counted}
    if few:
        steps = Steps(step_ms, offset_ms)
        found = _source(connection, engine, query, few, steps)
        rows = connection.execute(
            text(
                "SELECT step, prompt_name, prompt_hash, CAST(sum(calls) AS BIGINT) FROM "
                f"({_parts(found, steps)}) AS parts GROUP BY step, prompt_name, prompt_hash "
                "HAVING sum(calls) > 0 ORDER BY step, prompt_name, prompt_hash"
            ),
            found.values,
        )
        for step, name, version, calls in rows:
            points[name].append((step, version or None, calls))
    return [Versions(name, counted[name], points[name]) for name in names if name in counted]


def _counted(connection: Connection, engine: Engine, query: Query, names: Sequence[str]) -> dict[str, int]:
    """How many versions there are of each."""
    if not names:
        return {}
    found = _source(connection, engine, query, names)
    rows = connection.execute(
        text(
            "SELECT prompt_name, count(*) FROM (SELECT prompt_name, prompt_hash FROM "
            f"({_parts(found)}) AS parts GROUP BY prompt_name, prompt_hash HAVING sum(calls) > 0) AS single "
            "GROUP BY prompt_name"
        ),
        found.values,
    )
    return dict(tuple(row) for row in rows)


def _source(
    connection: Connection,
    engine: Engine,
    query: Query,
    names: Sequence[str],
    steps: Steps | None = None,
) -> Source:
    return source(
        connection,
        engine,
        query,
        SUMS,
        by="prompt_name",
        among=names,
        steps=steps,
        also=("prompt_hash",),
        measures=("calls",),
    )


def _parts(found: Source, steps: Steps | None = None) -> str:
    """Rows of a prompt, a version and how many calls, none of them twice."""
    folded_at, raw_at = (
        ("", "") if steps is None else (f"{steps.of('t')} AS step, ", f"{steps.of('timestamp')} AS step, ")
    )
    keys = ", ".join(f"{KEYS[name]} AS {name}" for name in ("prompt_name", "prompt_hash"))
    return " UNION ALL ".join(
        (
            *(f"SELECT {folded_at}prompt_name, prompt_hash, calls {part}" for _, part in found.folded),
            *(f"SELECT {raw_at}{keys}, 1 AS calls {part}" for part in found.raw),
        )
    )
