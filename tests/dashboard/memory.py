"""A store over a list, exact and slow: what the views are tested against."""

import json
import math
import operator
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, get_args

from miharu.batch import Batch, Marker, MarkerKind, Score, Span
from miharu.call import Call, Cost
from miharu.conditions.language import Condition
from miharu.providers.bodies.texts import texts_in
from miharu.stores.base import (
    LONGEST_TAG,
    MOST_EXPENSIVE,
    MOST_MARKERS,
    MOST_RATED,
    MOST_SPANS,
    MOST_VERSIONS,
    NEWEST,
    By,
    ByTag,
    Counted,
    Dimension,
    Extent,
    FailedSpans,
    Forgotten,
    Group,
    Kind,
    Latency,
    Order,
    Place,
    Point,
    Query,
    RankOrder,
    Ranks,
    Rated,
    ScoredCall,
    ScoreSum,
    Searched,
    Session,
    Tally,
    TimedCalls,
    Timing,
    Tools,
    Totals,
    Versions,
    Whose,
)
from miharu.stores.buckets import bucket_of, middle_of
from miharu.stores.tooling import SPANS_ASKED, asked_tools, ran_tools, step_of


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


def said(call: Call) -> list[tuple[Any, str]]:
    """The texts by which a store makes its calls searchable."""
    return [(one.role, one.text) for one in texts_in(call)]


class MemoryStore:
    def __init__(self, calls: Iterable[Call] = (), counted: Callable[[int], int] = int) -> None:
        """``counted`` is how a store that counts in buckets would give a number of milliseconds back."""
        self.counted = counted
        self.kept: dict[str, Call] = {}
        self.kept_spans: list[Span] = []
        self.kept_scores: list[Score] = []
        self.kept_markers: dict[str, Marker] = {}
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
        for marker in batch.markers:
            self.kept_markers.setdefault(marker.id, marker)
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
        short = [replace(span, input=None, output=None, error_stack=None) for span in found]
        return sorted(short, key=lambda span: (span.timestamp, span.id))[:limit]

    async def span(self, trace_id: str, id: str) -> Span | None:
        return next((one for one in self.kept_spans if one.id == id and one.trace_id == trace_id), None)

    async def tools(self, query: Query) -> Tools:
        spans = [
            span
            for span in self.kept_spans
            if span.kind == "execute_tool"
            and query.start <= span.timestamp < query.end
            and all(getattr(query, name) in {None, getattr(span, name)} for name in SPANS_ASKED)
        ]
        return Tools(
            asked=asked_tools(
                query,
                (
                    (call.tools, call.model, step_of(query, call.timestamp), 1, call.timestamp)
                    for call in self.match(query)
                    if call.tools is not None
                ),
            ),
            ran=ran_tools(
                query,
                (
                    (
                        *(s.name, s.status, s.duration_ms, s.error_type, s.timestamp, s.trace_id),
                        json.dumps(s.tags) if s.tags else None,
                    )
                    for s in spans
                ),
            ),
        )

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

    def _counted(self, query: Query, name: str | None = None) -> Iterator[tuple[Score, Call]]:
        """Each score with the call that it counts for."""
        meant = {call.id for call in self.match(query)}
        for score in self.kept_scores:
            call = self.kept.get(score.call_id) if score.call_id else None
            if not score.call_id:
                of = [
                    one
                    for one in self.kept.values()
                    if one.trace_id == score.trace_id and one.timestamp <= score.timestamp
                ]
                call = max(of, key=lambda one: (one.timestamp, one.id), default=None)
            if call is not None and call.id in meant and name in {None, score.name}:
                yield score, call

    async def score_names(self, query: Query) -> Mapping[str, int]:
        return dict(Counter(score.name for score, _ in self._counted(query)).most_common())

    async def score_sums(
        self,
        query: Query,
        name: str,
        by: By | None = None,
        among: Sequence[str | None] | None = None,
        *,
        step_ms: int | None = None,
        offset_ms: int = 0,
    ) -> Sequence[ScoreSum]:
        values = defaultdict[tuple[int, str | None], list[float]](list)
        for score, call in self._counted(query, name):
            key = None if by is None else dimension(call, by)
            step = query.start if step_ms is None else call.timestamp - (call.timestamp - offset_ms) % step_ms
            if by is None or among is None or key in among:
                values[step, key].append(score.value)
        return [
            ScoreSum(t=t, key=key, number=len(some), total=sum(some), squares=sum(one * one for one in some))
            for (t, key), some in values.items()
        ]

    async def scored(
        self, query: Query, name: str, limit: int = 50, after: str | None = None, *, descending: bool = False
    ) -> Sequence[ScoredCall]:
        found = sorted(
            self._counted(query, name), key=lambda pair: (pair[1].timestamp, pair[0].id), reverse=True
        )
        found.sort(key=lambda pair: pair[0].value, reverse=descending)
        if after is not None:
            found = found[1 + [score.id for score, _ in found].index(after) :]
        return [ScoredCall(score.id, score.value, call) for score, call in found[:limit]]

    async def rated(self, start: int, end: int, *, name: str | None = None) -> Mapping[str, Rated]:
        by_name = defaultdict[str, list[float]](list)
        for score in self.kept_scores:
            if start <= score.timestamp < end and name in {None, score.name}:
                by_name[score.name].append(score.value)
        most = sorted(by_name.items(), key=lambda item: (-len(item[1]), item[0]))[:MOST_RATED]
        return {key: Rated(len(values), sum(values) / len(values)) for key, values in most}

    async def markers(
        self,
        start: int,
        end: int,
        *,
        kinds: Sequence[MarkerKind] | None = None,
        name: str | None = None,
        id: str | None = None,
        limit: int = MOST_MARKERS,
    ) -> Sequence[Marker]:
        found = [
            marker
            for marker in self.kept_markers.values()
            if start <= marker.timestamp < end
            and (kinds is None or marker.kind in kinds)
            and name in {None, marker.name}
            and id in {None, marker.id}
        ]
        return sorted(found, key=lambda marker: (marker.timestamp, marker.id), reverse=True)[:limit]

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

    def _of(self, kind: Kind) -> Sequence[Call | Span | Score | Marker]:
        kept: Mapping[Kind, Sequence[Call | Span | Score | Marker]] = {
            "calls": list(self.kept.values()),
            "spans": self.kept_spans,
            "scores": self.kept_scores,
            "markers": list(self.kept_markers.values()),
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

    async def forget(self, whose: Whose, limit: int | None = None) -> Forgotten:
        theirs = [
            call
            for call in self.kept.values()
            if call.user_id in whose.users or call.session_id in whose.sessions
        ]
        for call in theirs:
            del self.kept[call.id]
        return Forgotten(calls=len(theirs))

    async def revision(self) -> int:
        return self.adds

    def match(self, query: Query) -> list[Call]:
        names = (*get_args(Dimension), "session_id", "trace_id", "call_group")
        asked = [(name, value) for name in names if (value := getattr(query, name)) is not None]
        return [
            call
            for call in self.kept.values()
            if query.start <= call.timestamp < query.end
            and all(dimension(call, name) == value for name, value in asked)
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
        elif condition.field == "tools":
            known = [name for name in json.loads(call.tools or "[]") if name]
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

    async def has_sums(self, query: Query, by: By | None = None) -> bool:
        return query.tag is None and query.call_group is None and not query.conditions and not query.words

    async def latency(self, query: Query) -> Latency:
        return latency(self.match(query), self.counted)

    async def series(
        self,
        query: Query,
        step_ms: int,
        by: By | None = None,
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

    async def ranks(
        self,
        query: Query,
        by: By,
        limit: int = 200,
        offset: int = 0,
        *,
        order: RankOrder = MOST_EXPENSIVE,
    ) -> Ranks:
        now = {group.key: group.totals for group in await self.groups(query, by)}
        start, end = order.against or (0, 0)
        other = await self.groups(replace(query, start=start, end=end), by) if order.against else ()
        then = {group.key: group.totals for group in other}
        keys = [
            key
            for key in {**now, **then}
            if (not order.only_new or (key and key in now and key not in then))
            and (order.matching is None or order.matching.lower() in (key or "").lower())
            and all(_counts(now.get(key, Totals()).errors, one) for one in order.errors)
        ]

        newest: dict[str | None, int] = {}
        for call in self.match(query):
            newest[dimension(call, by)] = max(newest.get(dimension(call, by), 0), call.timestamp)

        def first(key: str | None) -> Any:
            totals, before = now.get(key, Totals()), then.get(key, Totals())
            if order.by == "moved":
                return abs(totals.cost_nanousd - before.cost_nanousd)
            if order.by == "each":
                return totals.cost_nanousd / max(1, totals.calls)
            if order.by == "last":
                return newest.get(key, 0)
            return (key or "") if order.by == "key" else getattr(totals, order.by)

        def rest(key: str | None) -> Any:
            totals = now.get(key, Totals())
            return (-totals.cost_nanousd, -totals.calls, key or "")

        keys.sort(key=rest)
        keys.sort(key=first, reverse=order.descending)
        return Ranks(keys=keys[offset : offset + limit], whole=len(keys))

    async def latencies(
        self, query: Query, by: By, among: Sequence[str | None]
    ) -> Mapping[str | None, Latency]:
        held: dict[str | None, list[Call]] = defaultdict(list)
        for call in self.match(query):
            held[dimension(call, by)].append(call)
        no_tag = isinstance(by, ByTag)
        timed = {key: latency([] if no_tag and key is None else held[key], self.counted) for key in among}
        if by == "user_id" or no_tag:
            return {key: replace(one, ttft_p50_ms=None) for key, one in timed.items()}
        return timed

    async def groups(
        self,
        query: Query,
        by: By,
        limit: int | None = None,
        among: Sequence[str | None] | None = None,
        *,
        timed: bool = True,
    ) -> Sequence[Group]:
        groups: dict[str | None, list[Call]] = defaultdict(list)
        for call in self.match(query):
            groups[dimension(call, by)].append(call)

        def is_timed(key: str | None) -> bool:
            return timed and by != "user_id" and (key is not None or not isinstance(by, ByTag))

        made = [
            Group(key=key, totals=total(calls), latency=latency(calls if is_timed(key) else [], self.counted))
            for key, calls in groups.items()
            if among is None or key in among
        ]
        return sorted(made, key=lambda g: (-g.totals.cost_nanousd, -g.totals.calls, g.key or ""))[:limit]

    async def keys(self, query: Query, by: By, limit: int = 200) -> Sequence[str]:
        return [group.key for group in await self.groups(query, by) if group.key is not None][:limit]

    async def tag_names(self) -> Sequence[str]:
        return sorted({name for call in self.kept.values() for name in call.tags or ()})

    async def versions(
        self, query: Query, names: Sequence[str], step_ms: int, offset_ms: int = 0
    ) -> Sequence[Versions]:
        made = []
        for name in names:
            cells = Counter(
                (call.timestamp - (call.timestamp - offset_ms) % step_ms, call.prompt_hash)
                for call in self.match(query)
                if call.prompt_name == name
            )
            number = len({version for _, version in cells})
            ordered = sorted(cells, key=lambda cell: (cell[0], cell[1] or ""))
            points = [(t, version, cells[t, version]) for t, version in ordered]
            if number:
                made.append(Versions(name, number, points if number <= MOST_VERSIONS else []))
        return made

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
            older = [call for call in found if before is None or call.id < before]
            return [replace(call, body=None) for call in older[:limit]]
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


def dimension(call: Call, name: By | str) -> str | None:
    if isinstance(name, ByTag):
        value = (call.tags or {}).get(name.name)
        return value if value and len(value) <= LONGEST_TAG else None
    holder = call.outcome if name in {"status", "error_type"} else call
    found: str | None = getattr(holder, name)
    return found


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


def _counts(errors: int, condition: Condition) -> bool:
    of = condition.values[0]
    return {
        "in": errors == of,
        "not in": errors != of,
        ">": errors > int(of),
        ">=": errors >= int(of),
        "<": errors < int(of),
        "<=": errors <= int(of),
    }[condition.operator]


def _only(totals: Totals, measures: Sequence[str] | None) -> Totals:
    """Nothing of what was not asked for: no page may rely on it."""
    if measures is None:
        return totals
    return Totals(**{name: getattr(totals, name) for name in measures})
