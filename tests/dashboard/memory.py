"""A store over a list, exact and slow: what the views are tested against."""

import math
import operator
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, get_args

from miharu.batch import Batch, Score, Span
from miharu.call import Call, Cost
from miharu.conditions.language import Condition
from miharu.providers.bodies.texts import texts_in
from miharu.stores.base import (
    MOST_SPANS,
    NEWEST,
    Counted,
    Dimension,
    Extent,
    FailedSpans,
    Group,
    Kind,
    Latency,
    Order,
    Place,
    Point,
    Query,
    Ranks,
    Searched,
    Session,
    Tally,
    TimedCalls,
    Timing,
    Totals,
)
from miharu.stores.buckets import bucket_of, middle_of


def _fact(call: Call, condition: Condition) -> Any:
    if condition.field == "tag":
        return (call.tags or {}).get(condition.name or "")
    if condition.field == "tokens":
        parts = [call.usage.prompt_tokens, call.usage.completion_tokens]
        return None if parts == [None, None] else sum(part or 0 for part in parts)
    for part in (call, call.outcome, call.usage, call.cost):
        if part is not None and hasattr(part, condition.field):
            return getattr(part, condition.field)
    return None


def _has_said(call: Call, query: Query) -> bool:
    said = [one.text.casefold() for one in texts_in(call) if query.said_by in {None, one.role}]
    words = [word.casefold().rstrip("*") for word in query.words]
    return all(word and any(word in text for text in said) for word in words)


class MemoryStore:
    def __init__(self, calls: Iterable[Call] = (), counted: Callable[[int], int] = int) -> None:
        """``counted`` is how a store that counts in buckets would give a number of milliseconds back."""
        self.counted = counted
        self.kept: dict[str, Call] = {}
        self.kept_spans: list[Span] = []
        self.kept_scores: list[Score] = []
        self.adds = 0
        self._keep(calls)

    def _keep(self, calls: Iterable[Call]) -> int:
        new = [call for call in calls if call.id not in self.kept]
        self.kept |= {call.id: call for call in new}
        return len(new)

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def add(self, batch: Batch) -> int:
        self.adds += 1
        self.kept_spans.extend(batch.spans)
        self.kept_scores.extend(batch.scores)
        return self._keep(batch.calls)

    async def reprice(self, costs: Mapping[str, Cost | None]) -> int:
        found = {id: cost for id, cost in costs.items() if id in self.kept}
        self.kept |= {id: replace(self.kept[id], cost=cost) for id, cost in found.items()}
        return len(found)

    async def spans(
        self, trace_id: str, during: Extent | None = None, limit: int = MOST_SPANS
    ) -> Sequence[Span]:
        found = [
            span
            for span in self.kept_spans
            if span.trace_id == trace_id
            and (
                during is None
                or (span.timestamp < during.end and span.timestamp + span.duration_ms >= during.first)
            )
        ]
        return sorted(found, key=lambda span: (span.timestamp, span.id))[:limit]

    def _spans_of(self, query: Query) -> list[Span]:
        """Of a trace, or of the traces of a session."""
        traces = {call.trace_id for call in self.match(query)} if query.trace_id is None else {query.trace_id}
        return [
            span
            for span in self.kept_spans
            if span.trace_id in traces
            and (query.session_id is None or span.session_id in {None, query.session_id})
        ]

    async def failed_spans(self, query: Query, limit: int = 50) -> FailedSpans:
        if query.session_id is None and query.trace_id is None:
            found = [span for span in self.kept_spans if query.start <= span.timestamp < query.end]
        else:
            found = self._spans_of(query)
        names = ("service", "route", "user_id", "error_type")
        failed = [
            span
            for span in sorted(found, key=lambda span: (span.timestamp, span.id), reverse=True)
            if span.status == "error"
            and all(getattr(query, name) in {None, getattr(span, name)} for name in names)
        ]
        return FailedSpans(len(failed), failed[:limit])

    async def extent(self, query: Query) -> Extent | None:
        both: list[Call | Span] = [*self.match(query), *self._spans_of(query)]
        if not both:
            return None
        return Extent(
            min(one.timestamp for one in both), max(one.timestamp + one.duration_ms for one in both)
        )

    async def scores(self, *, call_id: str | None = None, trace_id: str | None = None) -> Sequence[Score]:
        return [
            score
            for score in self.kept_scores
            if (call_id is not None and score.call_id == call_id)
            or (trace_id is not None and score.trace_id == trace_id)
        ]

    async def counters(self) -> Counted:
        """Of the calls that are there: this store says nothing of those that are gone."""
        tallies, timed = (
            defaultdict[tuple[Any, ...], list[Call]](list),
            defaultdict[tuple[Any, ...], list[int]](list),
        )
        for call in self.kept.values():
            own = {name: getattr(call, name) or None for name in ("model", "provider", "route", "service")}
            ended = {"status": call.outcome.status, "error_type": call.outcome.error_type}
            tallies[tuple((own | ended).items())].append(call)
            for of in get_args(Timing) if call.outcome.status == "success" else ():
                if (ms := getattr(call, of)) is not None:
                    timed[(*own.items(), ("of", of))].append(self.counted(ms))
        return Counted(
            sums=[Tally(**dict(key), totals=total(calls)) for key, calls in tallies.items()],
            times=[
                TimedCalls(**dict(key), counts=sorted(Counter(values).items()))
                for key, values in timed.items()
            ],
        )

    def _of(self, kind: Kind) -> Sequence[Call | Span | Score]:
        kept: Mapping[Kind, Sequence[Call | Span | Score]] = {
            "calls": list(self.kept.values()),
            "spans": self.kept_spans,
            "scores": self.kept_scores,
        }
        return kept[kind]

    async def places(self, kind: Kind, after: Place | None = None, limit: int = 10_000) -> Sequence[Place]:
        kept = self._of(kind)
        found = sorted((one.timestamp, one.id) for one in kept)
        return [place for place in found if after is None or place > after][:limit]

    async def batch(self, kind: Kind, after: Place | None = None, limit: int = 1000) -> Batch:
        kept = self._of(kind)
        by_place = {(one.timestamp, one.id): one for one in kept}
        found = [by_place[place] for place in await self.places(kind, after, limit)]
        return Batch(**{kind: found})  # type: ignore[arg-type]

    async def tend(self) -> bool:
        return False

    async def size(self) -> int | None:
        return None

    async def prune(self, before: int, *, content_only: bool = False, limit: int | None = None) -> int:
        old = [key for key, call in self.kept.items() if call.timestamp < before]
        for key in old:
            del self.kept[key]
        return len(old)

    async def revision(self) -> int:
        return self.adds

    def match(self, query: Query) -> list[Call]:
        return [
            call
            for call in self.kept.values()
            if query.start <= call.timestamp < query.end
            and all(
                getattr(query, name) is None or dimension(call, name) == getattr(query, name)
                for name in (*get_args(Dimension), "session_id", "trace_id", "call_group")
            )
            and (query.tag is None or (call.tags or {}).get(query.tag[0]) == query.tag[1])
            and all(self._meets(call, condition) for condition in query.conditions)
            and (not query.words or _has_said(call, query))
        ]

    async def searched(self, query: Query) -> Searched:
        kept = [
            c for c in self.kept.values() if query.start <= c.timestamp < query.end and c.body is not None
        ]
        return Searched(kept=len(kept), indexed=len(kept))

    def _meets(self, call: Call, condition: Condition) -> bool:
        """Written anew, so that no store is compared with its own thoughts."""
        if condition.field == "score":
            known: list[Any] = [
                score.value
                for score in self.kept_scores
                if score.name == condition.name
                and (score.call_id == call.id or (score.trace_id and score.trace_id == call.trace_id))
            ]
        else:
            known = [fact] if (fact := _fact(call, condition)) not in {None, ""} else []
        if condition.operator in {"any", "none"}:
            return bool(known) is (condition.operator == "any")
        if condition.operator in {"in", "not in"}:
            named = [re.compile(".*".join(map(re.escape, one)), re.DOTALL) for one in condition.patterns]
            found = any(
                fact in condition.values or any(one.fullmatch(str(fact)) for one in named)
                for fact in known or [""]
            )
            return found is (condition.operator == "in")
        compare = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
        return any(compare[condition.operator](fact, condition.values[0]) for fact in known)

    async def totals(self, query: Query) -> Totals:
        return total(self.match(query))

    async def has_sums(self, query: Query, by: Dimension | None = None) -> bool:
        return query.tag is None and query.call_group is None and not query.conditions and not query.words

    async def latency(self, query: Query) -> Latency:
        return latency(self.match(query), self.counted)

    async def series(
        self,
        query: Query,
        step_ms: int,
        by: Dimension | None = None,
        among: Sequence[str | None] | None = None,
        offset_ms: int = 0,
        *,
        measures: Sequence[str] | None = None,
    ) -> Sequence[Point]:
        cells: dict[tuple[int, str | None], list[Call]] = defaultdict(list)
        for call in self.match(query):
            cells[
                call.timestamp - (call.timestamp - offset_ms) % step_ms, dimension(call, by) if by else None
            ].append(call)
        return [
            Point(t=t, key=key, totals=_only(total(calls), measures))
            for (t, key), calls in sorted(cells.items(), key=lambda cell: (cell[0][0], cell[0][1] or ""))
            if among is None or key in among
        ]

    async def durations(
        self, query: Query, step_ms: int, of: Timing = "duration_ms", offset_ms: int = 0
    ) -> Sequence[tuple[int, int, int]]:
        cells = Counter(
            (call.timestamp - (call.timestamp - offset_ms) % step_ms, self.counted(getattr(call, of)))
            for call in self.match(query)
            if succeeded(call) and getattr(call, of) is not None
        )
        return [(t, ms, calls) for (t, ms), calls in sorted(cells.items())]

    async def ranks(self, query: Query, by: Dimension, limit: int = 200, offset: int = 0) -> Ranks:
        groups = await self.groups(query, by)
        return Ranks(keys=[group.key for group in groups][offset : offset + limit], whole=len(groups))

    async def groups(
        self,
        query: Query,
        by: Dimension,
        limit: int | None = None,
        among: Sequence[str | None] | None = None,
    ) -> Sequence[Group]:
        groups: dict[str | None, list[Call]] = defaultdict(list)
        for call in self.match(query):
            groups[dimension(call, by)].append(call)
        timed = by != "user_id"
        made = [
            Group(key=key, totals=total(calls), latency=latency(calls if timed else [], self.counted))
            for key, calls in groups.items()
            if among is None or key in among
        ]
        return sorted(made, key=lambda g: (-g.totals.cost_nanousd, -g.totals.calls, g.key or ""))[:limit]

    async def keys(self, query: Query, by: Dimension, limit: int = 200) -> Sequence[str]:
        return [group.key for group in await self.groups(query, by) if group.key is not None][:limit]

    async def sessions(self, query: Query, limit: int = 50, before: int | None = None) -> Sequence[Session]:
        held: dict[str, list[Call]] = defaultdict(list)
        for call in sorted(self.match(query), key=lambda call: call.timestamp):
            if call.session_id is not None:
                held[call.session_id].append(call)
        made = [
            Session(
                id=key,
                user_id=next((call.user_id for call in reversed(calls) if call.user_id), None),
                first=calls[0].timestamp,
                last=calls[-1].timestamp,
                totals=total(calls),
            )
            for key, calls in held.items()
        ]
        made.sort(key=lambda session: -session.last)
        return [session for session in made if before is None or session.last < before][:limit]

    async def calls(
        self, query: Query, limit: int = 50, before: str | None = None, order: Order = NEWEST
    ) -> Sequence[Call]:
        found = sorted(self.match(query), key=lambda call: (call.timestamp, call.id), reverse=True)
        if order == NEWEST:
            return [replace(call, body=None) for call in found if before is None or call.id < before][:limit]
        if order.by == "timestamp":
            found.reverse()
        else:
            known = [call for call in found if ranked(call, order) is not None]
            known.sort(key=lambda call: ranked(call, order) or 0, reverse=order.descending)
            found = [*known, *(call for call in found if ranked(call, order) is None)]
        ids = [call.id for call in found]
        if before is not None:
            found = found[ids.index(before) + 1 :] if before in ids else []
        return [replace(call, body=None) for call in found[:limit]]

    async def call(self, id: str) -> Call | None:
        return self.kept.get(id)


def ranked(call: Call, order: Order) -> int | None:
    holder = next(one for one in (call, call.usage, call.cost) if one is None or hasattr(one, order.by))
    value: int | None = getattr(holder, order.by, None)
    return value


def dimension(call: Call, name: str) -> str | None:
    holder = call.outcome if name in {"status", "error_type"} else call
    value: str | None = getattr(holder, name)
    return value


def total(calls: Sequence[Call]) -> Totals:
    failed = [call for call in calls if call.outcome.status == "error"]
    return Totals(
        calls=len(calls),
        errors=len(failed),
        cancelled=sum(call.outcome.status == "cancelled" for call in calls),
        rate_limited=sum(call.outcome.http_status == 429 for call in failed),
        cost_nanousd=sum(call.cost.cost_nanousd for call in calls if call.cost),
        unpriced=sum(
            call.cost is None and (call.usage.usage_source != "none" or call.outcome.status != "error")
            for call in calls
        ),
        estimated=sum(call.usage.usage_source == "estimated" for call in calls),
        prompt_tokens=sum(call.usage.prompt_tokens or 0 for call in calls),
        completion_tokens=sum(call.usage.completion_tokens or 0 for call in calls),
        cached_tokens=sum(call.usage.cached_tokens or 0 for call in calls),
        cache_write_tokens=sum(call.usage.cache_write_tokens or 0 for call in calls),
        reasoning_tokens=sum(call.usage.reasoning_tokens or 0 for call in calls),
        duration_ms=sum(call.duration_ms for call in calls),
        retries=sum((call.attempt or 1) > 1 for call in calls),
        duplicates=sum(call.duplicate_of is not None for call in calls),
        duplicate_nanousd=sum(call.cost.cost_nanousd for call in calls if call.cost and call.duplicate_of),
        cache_missed_tokens=sum(call.cache_missed_tokens or 0 for call in calls),
        cache_missed_nanousd=sum(call.cache_missed_nanousd or 0 for call in calls),
    )


def latency(calls: Sequence[Call], counted: Callable[[int], int] = int) -> Latency:
    durations = sorted(counted(call.duration_ms) for call in calls if succeeded(call))
    firsts = sorted(counted(call.ttft_ms) for call in calls if call.ttft_ms is not None and succeeded(call))
    return Latency(p50_ms=at(durations, 0.5), p95_ms=at(durations, 0.95), ttft_p50_ms=at(firsts, 0.5))


def rounded(ms: int) -> int:
    """As the buckets have it."""
    return middle_of(bucket_of(ms) or 0)


def succeeded(call: Call) -> bool:
    """A refusal is quick, and a user who leaves is no measure: neither says anything about speed."""
    return call.outcome.status == "success"


def at(values: Sequence[int], share: float) -> int | None:
    return values[math.ceil(len(values) * share) - 1] if values else None


def _only(totals: Totals, measures: Sequence[str] | None) -> Totals:
    """Nothing of what was not asked for: no page may rely on it."""
    if measures is None:
        return totals
    return Totals(**{name: getattr(totals, name) for name in measures})
