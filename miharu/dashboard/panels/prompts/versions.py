"""The versions of a prompt that is opened, the newest first, with what changed between two of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING

from miharu.analysis.prompt_changes import PromptChange, change, fixed_part
from miharu.dashboard.address.ranges import HOUR
from miharu.dashboard.address.view import View
from miharu.dashboard.http.page import Site
from miharu.dashboard.panels.prompts.since import Since, scored, since
from miharu.dashboard.panels.prompts.strip import Span, css_of, spans_of, step_of
from miharu.dashboard.panels.scores import scores_of
from miharu.dashboard.queries.lookback import within_reach
from miharu.dashboard.queries.together import together
from miharu.providers.fixed import Fixed
from miharu.stores.base import Group, Order, Query, ScoreSum

if TYPE_CHECKING:
    from miharu.call import Call

__all__ = ("SHOWN", "Opened", "Version", "opened")

SHOWN = 4
"""Versions, the newest."""
_SAMPLE = 50
"""Calls of each that are compared."""
_OLDEST = Order("timestamp", descending=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version, and what changed with it."""

    version: str
    number: int
    css: str
    first: int
    last: int
    is_newest: bool
    group: Group
    score: ScoreSum | None
    link: str
    """To its calls."""
    each: int | None
    has_before: bool
    change: PromptChange | None
    """``None`` where the content of one of the two is not there."""
    since: Since | None

    @property
    def tokens(self) -> int | None:
        totals = self.group.totals
        tokens = totals.prompt_tokens + totals.completion_tokens
        return round(tokens / totals.calls) if tokens and totals.calls else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A prompt that is opened."""

    name: str
    number: int
    """Versions in all."""
    versions: Sequence[Version]
    score: str
    """The name of the scores that are shown; empty where there are none."""
    calls_link: str


async def opened(view: View, site: Site, name: str) -> Opened | None:
    """The versions of the prompt; ``None`` where it was not called."""
    if not hasattr(site.store, "versions"):
        return None
    view = replace(view, prompt=name)
    reached = await within_reach(view, site, "prompt_hash")
    query = reached.query(site.clock())
    step = step_of(view.window(site.clock()))
    found = await site.store.versions(query, (name,), step)
    if not found:
        return None
    spans = spans_of(found[0])
    shown = spans[: SHOWN + 1]
    async with together() as ask:
        keys = tuple(span.version for span in shown)
        groups = ask(site.store.groups, query, "prompt_hash", None, keys)
        scores = ask(scores_of, reached, site, "prompt_hash", keys)
        known = [ask(_known, site, query, span, step) for span in shown]
    by_key = {group.key: group for group in groups.value}
    seen = [
        _Seen(span, by_key[span.version], one.value, scores.value.sums.get(span.version))
        for span, one in zip(shown, known, strict=True)
        if span.version in by_key
    ]
    name_of_scores = scores.value.name if scores.value.sums else ""
    made = [
        _version(view, one, before, seen[0].span.number, name_of_scores)
        for one, before in zip_longest(seen, seen[1:])
    ]
    return Opened(
        name=name,
        number=found[0].number,
        versions=made[:SHOWN],
        score=name_of_scores,
        calls_link=replace(view, version=None).to("calls"),
    )


@dataclass(frozen=True, slots=True)
class _Known:
    first: int
    last: int
    sample: "Sequence[Call]"
    fixed: Fixed | None
    """Where its content is kept."""


@dataclass(frozen=True, slots=True)
class _Seen:
    span: Span
    group: Group
    known: _Known
    score: ScoreSum | None


async def _known(site: Site, query: Query, span: Span, step: int) -> _Known:
    """Of a version when it was first and last called, its newest calls and its fixed part."""
    own = replace(
        query,  # no longer than it lasted: what leads to its calls is sought there alone
        prompt_hash=span.version,
        start=max(query.start, span.first),
        end=min(query.end, span.last + step),
    )
    sample = await site.store.calls(own, _SAMPLE)
    if not sample:
        return _Known(span.first, span.last, (), None)
    first = sample[-1].timestamp
    if len(sample) == _SAMPLE:  # there are more, so its oldest is not among them
        first = await _first(site, own, span, step)
    call = await site.store.call(sample[0].id)
    fixed = None if call is None else fixed_part(call, site.formats)
    return _Known(first, sample[0].timestamp, sample, fixed)


async def _first(site: Site, own: Query, span: Span, step: int) -> int:
    """When a version was called first, whose step is known: by way of the hour, which has few calls."""
    start, end = max(own.start, span.first), min(own.end, span.first + step)
    if step > HOUR:
        hours = await site.store.series(replace(own, start=start, end=end), HOUR, measures=("calls",))
        if hours:
            start, end = max(start, hours[0].t), min(end, hours[0].t + HOUR)
    oldest = await site.store.calls(replace(own, start=start, end=end), 1, None, _OLDEST)
    return oldest[0].timestamp if oldest else start


def _version(view: View, one: _Seen, before: _Seen | None, newest: int, score: str) -> Version:
    totals, fixed = one.group.totals, one.known.fixed
    priced = totals.calls - totals.unpriced
    earlier = None if before is None else before.known.fixed
    return Version(
        version=one.span.version or "",
        number=one.span.number,
        css=css_of(one.span.number, newest),
        first=one.known.first,
        last=one.known.last,
        is_newest=one.span.number == newest,
        group=one.group,
        score=one.score,
        link=view.to("calls", version=one.span.version),
        each=round(totals.cost_nanousd / priced) if priced and totals.cost_nanousd else None,
        has_before=before is not None,
        change=change(earlier, fixed) if earlier and fixed else None,
        since=None
        if before is None
        else since(
            before.group,
            one.group,
            before.known.sample,
            one.known.sample,
            [moved] if (moved := scored(score, before.score, one.score)) else (),
        ),
    )
