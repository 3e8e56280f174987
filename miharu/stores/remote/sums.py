"""The sums that budgets need, as they are asked of another miharu and answered by it, in JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from miharu.stores.base import Dimension, Group, Point, Query, Questions, Totals

__all__ = ("ANSWERS", "PATH", "Asked", "answered")

PATH = "/v1/miharu/sums"
ANSWERS: dict[str, Any] = {"revision": int, "totals": Totals, "groups": list[Group], "series": list[Point]}
"""What each question comes to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question, with the arguments that it has in ``stores/base.py``."""

    question: Literal["revision", "totals", "groups", "series"]
    query: Query | None = None
    by: Dimension | None = None
    limit: int | None = None
    step_ms: int | None = None
    offset_ms: int = 0
    among: Sequence[str | None] | None = None
    measures: Sequence[str] | None = None


async def answered(asked: Asked, store: Questions) -> Any:
    """What the store says.

    Raises:
        ValueError: An argument is missing.
    """
    if asked.question == "revision":
        return await store.revision()
    if asked.query is None:
        raise ValueError("query is missing")
    if asked.question == "totals":
        return await store.totals(asked.query)
    if asked.question == "groups":
        if asked.by is None:
            raise ValueError("by is missing")
        return await store.groups(asked.query, asked.by, asked.limit, asked.among)
    if not asked.step_ms or asked.step_ms < 1:
        raise ValueError("step_ms is missing")
    return await store.series(
        asked.query, asked.step_ms, asked.by, asked.among, asked.offset_ms, measures=asked.measures
    )
