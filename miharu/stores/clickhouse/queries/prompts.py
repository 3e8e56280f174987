"""Which versions of a prompt were called when."""

from collections.abc import Sequence

from miharu.stores.base import MOST_VERSIONS, Query, Versions
from miharu.stores.clickhouse.client.database import Database
from miharu.stores.clickhouse.queries.pieces import Steps, pieces, step_of
from miharu.stores.clickhouse.tables.measures import SIGNED

__all__ = ("versions",)


def versions(
    database: Database, query: Query, names: Sequence[str], step_ms: int, offset_ms: int = 0
) -> Sequence[Versions]:
    if not names:
        return ()
    counted = {
        row[0]: int(row[1])
        for row in database.query(
            "SELECT prompt_name, count() FROM (SELECT prompt_name, prompt_hash FROM "
            f"({_parts(query, names)}) GROUP BY prompt_name, prompt_hash HAVING sum(m_calls) > 0) "
            "GROUP BY prompt_name"
        )
    }
    few = [name for name, number in counted.items() if number <= MOST_VERSIONS]
    points: dict[str, list[tuple[int, str | None, int]]] = {name: [] for name in counted}
    if few:
        for step, name, version, calls in database.query(
            "SELECT step, prompt_name, prompt_hash, sum(m_calls) FROM "
            f"({_parts(query, few, (step_ms, offset_ms))}) GROUP BY step, prompt_name, prompt_hash "
            "HAVING sum(m_calls) > 0 ORDER BY step, prompt_name, prompt_hash"
        ):
            points[name].append((int(step), version or None, int(calls)))
    return [Versions(name, counted[name], points[name]) for name in names if name in counted]


def _parts(query: Query, names: Sequence[str], steps: Steps | None = None) -> str:
    """Rows of a prompt, a version and how many calls."""
    selects = []
    for condition, time in pieces(query, "prompt_name", names, steps):
        at, grouped = (f"{step_of(time, steps)} AS step, ", "step, ") if steps else ("", "")
        selects.append(
            f"SELECT {at}prompt_name, prompt_hash, {SIGNED['calls']} AS m_calls FROM llm_calls "
            f"WHERE {condition} GROUP BY {grouped}prompt_name, prompt_hash"
        )
    return " UNION ALL ".join(selects)
