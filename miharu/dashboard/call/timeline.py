"""What happened when: earlier tries of the same call, the wait for the first token, the stream, the tools."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from miharu.batch import Span
from miharu.call import Call
from miharu.dashboard.address.view import View
from miharu.dashboard.call.rows import error_tag
from miharu.dashboard.http.page import Site
from miharu.dashboard.queries.together import together
from miharu.stores.base import Extent, Query
from miharu.stores.tooling import recorded_once
from miharu.wording.numbers import duration

__all__ = ("Around", "Phase", "around", "attempts", "phases")

_RETRIED_WITHIN = 130_000
_USED_WITHIN = 600_000
_NEIGHBOURS = 200
_THINNEST = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A bar of the timeline, in percent of the whole."""

    name: str
    css: str
    start: float
    width: float
    text: str
    why: str = ""
    link: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """Attempts, tools and the next call around a call."""

    tries: Sequence[Call] = ()
    """The other attempts of the same logical call."""
    tools: Sequence[Span] = ()
    """What the program did with the answer before it asked again."""
    next_call: Call | None = None


async def around(call: Call, site: Site) -> Around:
    async with together() as ask:
        tries = ask(attempts, call, site)
        spans = ask(_spans, call, site)
        following = ask(_next, call, site)
    end, upto = call.timestamp + call.duration_ms, following.value
    if call.outcome.status != "success" or upto is None:  # there is no answer with which to do anything
        return Around(tries=tries.value)
    tools = [
        span
        for span in recorded_once(spans.value)
        if span.parent_id == call.parent_id and end <= span.timestamp < upto.timestamp
    ]
    return Around(tries=tries.value, tools=tools, next_call=upto)


async def attempts(call: Call, site: Site) -> list[Call]:
    """The others of the same logical call: they share what the program gave them, so few are looked at."""
    if call.call_group is None or ((call.attempt or 1) == 1 and call.outcome.status != "error"):
        return []
    end = call.timestamp + call.duration_ms
    query = Query(
        start=call.timestamp - _RETRIED_WITHIN,
        end=end + _RETRIED_WITHIN,
        provider=call.provider,
        route=call.route,
        user_id=call.user_id,
        session_id=call.session_id,
        trace_id=call.trace_id,
        service=call.service,
    )
    found = await site.store.calls(query, _NEIGHBOURS)
    return [one for one in reversed(found) if one.call_group == call.call_group and one.id != call.id]


async def _spans(call: Call, site: Site) -> Sequence[Span]:
    if call.trace_id is None:
        return ()
    end = call.timestamp + call.duration_ms
    return await site.store.spans(call.trace_id, Extent(end, end + _USED_WITHIN))


async def _next(call: Call, site: Site) -> Call | None:
    """The first call of the same trace, or else of the same session, after this one."""
    if call.trace_id is None and call.session_id is None:
        return None
    end = call.timestamp + call.duration_ms
    query = Query(
        start=end,
        end=end + _USED_WITHIN,
        trace_id=call.trace_id,
        session_id=None if call.trace_id else call.session_id,
    )
    found = await site.store.calls(query, _NEIGHBOURS)
    return next((one for one in reversed(found) if one.id != call.id), None)


def phases(call: Call, near: Around, view: View, page: str, tools: Sequence[str]) -> list[Phase]:
    """The bars, from the first try to the last tool; ``tools`` are the names that the answer calls."""
    end = call.timestamp + call.duration_ms
    gap_end = near.next_call.timestamp if near.next_call and tools and not near.tools else end
    first = min([call.timestamp, *(one.timestamp for one in near.tries)])
    ends = [one.timestamp + one.duration_ms for one in near.tries]
    ends += [span.timestamp + span.duration_ms for span in near.tools]
    last = max(end, gap_end, *ends) if ends else max(end, gap_end)
    whole = max(1, last - first)

    def bar(name: str, css: str, start: int, ms: int, *, why: str = "", link: str | None = None) -> Phase:
        left = round(100 * (start - first) / whole, 2)
        width = round(min(max(100 * ms / whole, _THINNEST), 100 - min(left, 100 - _THINNEST)), 2)
        return Phase(
            name=name,
            css=css,
            start=min(left, 100 - _THINNEST),
            width=width,
            text=duration(ms),
            why=why,
            link=link,
        )

    def others(tries: Sequence[Call]) -> Iterator[Phase]:
        for one in tries:
            css = "e" if one.outcome.status == "error" else "b"
            link = view.link(page, sel=one.id)
            yield bar(
                f"Try {one.attempt}",
                css,
                one.timestamp,
                one.duration_ms,
                why=error_tag(one.outcome),
                link=link,
            )

    bars = list(others([one for one in near.tries if one.timestamp < call.timestamp]))
    ttft = call.ttft_ms
    if ttft is None or ttft > call.duration_ms:
        name = f"Try {call.attempt}" if near.tries else "Whole call"
        bars.append(
            bar(name, "e" if call.outcome.status == "error" else "b", call.timestamp, call.duration_ms)
        )
    else:
        bars.append(bar("Wait for first token", "a", call.timestamp, ttft))
        bars.append(bar("Stream", "b", call.timestamp + ttft, call.duration_ms - ttft))
    bars += others([one for one in near.tries if one.timestamp >= call.timestamp])
    bars += [
        bar(
            span.name,
            "e" if span.status == "error" else "t",
            span.timestamp,
            span.duration_ms,
            why="tool"
            if span.result_in is None
            else "A tool. At most: until the call that brought its result.",
        )
        for span in near.tools
    ]
    if gap_end > end:
        why = "From this answer to the next call: " + ", ".join(tools)
        bars.append(bar("Tools", "t", end, gap_end - end, why=why))
    return bars
