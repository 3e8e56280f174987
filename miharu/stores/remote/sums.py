"""The sums that budgets and alerts need, as they are asked of another miharu and answered by it, in JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from miharu.batch import Marker, MarkerKind
from miharu.stores.base import MOST_MARKERS, By, Group, Latency, Point, Query, Questions, Rated, Totals
from miharu.stores.narrowing import possible

__all__ = ("ANSWERS", "PATH", "Asked", "answered", "asked_of")

PATH = "/v1/miharu/sums"
_LATEST = 1 << 62
"""Unix milliseconds: sums over everything end there."""
_MOST = 100_000
"""Groups of one answer."""
ANSWERS: dict[str, Any] = {
    "revision": int,
    "totals": Totals,
    "groups": list[Group],
    "series": list[Point],
    "latency": Latency,
    "markers": list[Marker],
    "rated": Mapping[str, Rated],
}
"""What each question comes to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question, with the arguments that it has in ``stores/base/questions.py``."""

    question: Literal["revision", "totals", "groups", "series", "latency", "markers", "rated"]
    query: Query | None = None
    narrowed: Query | None = None
    """In place of ``query`` where it has conditions or words: a miharu that knows none of them says so."""
    by: By | None = None
    limit: int | None = None
    step_ms: int | None = None
    offset_ms: int = 0
    among: Sequence[str | None] | None = None
    measures: Sequence[str] | None = None
    kinds: Sequence[MarkerKind] | None = None
    name: str | None = None


def asked_of(query: Query) -> dict[str, Any]:
    """The query as an argument of ``Asked``."""
    return {"narrowed" if query.conditions or query.words else "query": query}


async def answered(asked: Asked, store: Questions) -> Any:  # noqa: PLR0911 - one for each question
    """What the store says.

    Raises:
        ValueError: An argument is missing, or is not possible.
    """
    _refuse_impossible(asked)
    if asked.question == "revision":
        return await store.revision()
    query = asked.query or asked.narrowed
    if query is None:
        raise ValueError("query is missing")
    if asked.question == "totals":
        return await store.totals(query)
    if asked.question == "latency":
        return await store.latency(query)
    if asked.question == "rated":
        return await store.rated(query.start, query.end, name=asked.name)
    if asked.question == "markers":
        most = min(asked.limit or MOST_MARKERS, MOST_MARKERS)
        return await store.markers(query.start, query.end, kinds=asked.kinds, name=asked.name, limit=most)
    if asked.question == "groups":
        if asked.by is None:
            raise ValueError("by is missing")
        return await store.groups(query, asked.by, asked.limit, asked.among)
    if not asked.step_ms or asked.step_ms < 1:
        raise ValueError("step_ms is missing")
    return await store.series(
        query, asked.step_ms, asked.by, asked.among, asked.offset_ms, measures=asked.measures
    )


def _refuse_impossible(asked: Asked) -> None:
    """Stores compare with 64 bits."""
    query = asked.query or asked.narrowed
    if query is not None:
        possible(query)
    if query is not None and not (0 <= query.start <= _LATEST and 0 <= query.end <= _LATEST):
        raise ValueError(f"query begins or ends outside of 0 and {_LATEST}")
    if not -_LATEST <= asked.offset_ms <= _LATEST or (asked.step_ms or 0) > _LATEST:
        raise ValueError(f"step_ms or offset_ms is beyond {_LATEST}")
    if asked.limit is not None and not 1 <= asked.limit <= _MOST:
        raise ValueError(f"limit is not between 1 and {_MOST}")
