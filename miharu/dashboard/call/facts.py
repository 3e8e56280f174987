"""One call in full: facts, time, money, error, identity, and what was said where that is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from urllib.parse import urlencode

from miharu.analysis.rate_limits import Limit, limits_of
from miharu.batch import Score
from miharu.call import Call, Usage
from miharu.dashboard.address.view import View
from miharu.dashboard.call.bodies import Text, as_text, pretty
from miharu.dashboard.call.conversation import Conversation, conversation
from miharu.dashboard.call.costs import Costs
from miharu.dashboard.call.curl import curl
from miharu.dashboard.call.media import Finder
from miharu.dashboard.call.rows import Cell, cost_cell, error_tag, split_route, token_cell, ttft_cell
from miharu.dashboard.call.timeline import Around, Phase, phases
from miharu.dashboard.charts.colors import Palette
from miharu.dashboard.markdown import Trees
from miharu.providers.base import Provider
from miharu.wire.indented import indented
from miharu.wire.json import loads
from miharu.wording.names import provider_name
from miharu.wording.numbers import UNKNOWN, count, duration

__all__ = ("Drawer", "drawer")

_LONGEST = 16_000
"""Characters of what a provider said beside the content."""
_PAIRS, _LONGEST_PAIR = 100, 400
_TRIES = 8
"""Other attempts that are named one by one."""
_KINDS = (
    ("Input", "prompt_tokens", 0),
    ("read from cache", "cached_tokens", 1),
    ("written to cache", "cache_write_tokens", 1),
    ("for five minutes", "cache_write_5m_tokens", 2),
    ("for an hour", "cache_write_1h_tokens", 2),
    ("audio", "audio_input_tokens", 1),
    ("images", "image_input_tokens", 1),
    ("Output", "completion_tokens", 0),
    ("reasoning", "reasoning_tokens", 1),
    ("audio", "audio_output_tokens", 1),
    ("images", "image_output_tokens", 1),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawer:
    call: Call
    css: str
    error: str
    method: str
    route: str
    cost: Cell
    costs: Costs
    ttft: Cell
    prompt: Cell
    completion: Cell
    speed: Cell
    phases: Sequence[Phase]
    tokens: Sequence[tuple[str, int, Cell]]
    """(kind, how deep it is a part of the one above, count)."""
    tags: Sequence[tuple[str, str | None]]
    """(name and value, where the calls are that have it)."""
    attempts: tuple[int, str] | None
    """How many there were of the same logical call, and where they are listed."""
    beside: Sequence[tuple[str, str]]
    """Each other attempt, and where it is laid beside this one."""
    meta: Sequence[tuple[str, str]]
    limits: Sequence[Limit]
    raw_limits: Sequence[tuple[str, str]]
    raw_usage: str | None
    shown: Text | None
    """The request or the response as it was, where that is asked for."""
    bodies: Sequence[tuple[str, int, str]]
    """What was kept whole: its name, bytes, and where it can be had."""
    said: Conversation | None
    media: Finder
    """Finds the pictures and sounds that the bodies hold."""
    trees: Trees
    """Draws the JSON of it."""
    curl: str | None
    scores: Sequence[Score]


def drawer(
    call: Call,
    view: View,
    page: str,
    *,
    colors: Palette,
    costs: Costs,
    near: Around,
    scores: Sequence[Score],
    formats: Sequence[Provider] = (),
) -> Drawer:
    """Everything of the call; links lead to others beside the list of that page."""
    method, route = split_route(call.route)
    said = conversation(call, formats)
    return Drawer(
        call=call,
        css=colors.model(call.model, call.provider),
        error=error_tag(call.outcome),
        method=method,
        route=route,
        cost=cost_cell(call),
        costs=costs,
        ttft=ttft_cell(call),
        prompt=token_cell(call, call.usage.prompt_tokens),
        completion=token_cell(call, call.usage.completion_tokens),
        speed=_speed(call),
        phases=phases(call, near, view, page, _called(said)),
        tokens=_tokens(call.usage, call),
        tags=[_tag(name, value, view) for name, value in (call.tags or {}).items()],
        attempts=_attempts(call, near, view),
        beside=[_beside(call, one, view) for one in near.tries[:_TRIES]],
        meta=[(name, value) for name, value in _meta(call) if value],
        limits=limits_of(call.rate_limit),
        raw_limits=_pairs(call.rate_limit),
        raw_usage=pretty(call.usage.usage_raw, _LONGEST)[0] if call.usage.usage_raw else None,
        shown=_shown(call, view),
        bodies=_bodies(call),
        said=said,
        media=Finder(call),
        trees=Trees(),
        curl=curl(call),
        scores=scores,
    )


def _tag(name: str, value: str, view: View) -> tuple[str, str | None]:
    text = f"{name}={value}"
    link = view.to("calls", tag=text)
    return text, link if name and "=" not in name and View.read({"tag": text}).tag else None


def _attempts(call: Call, near: Around, view: View) -> tuple[int, str] | None:
    if not near.tries or call.call_group is None:
        return None
    moments = [one.timestamp for one in (call, *near.tries)]
    only = view.only("attempts", call.call_group)
    return len(moments), only.to("calls", start=min(moments), end=max(moments) + 1)


def _beside(call: Call, other: Call, view: View) -> tuple[str, str]:
    first, second = sorted((call, other), key=lambda one: (one.attempt or 1, one.timestamp))
    return f"try {other.attempt or 1}", view.link("pair", a=first.id, b=second.id)


def _called(said: Conversation | None) -> list[str]:
    """The tools that the answer calls."""
    parts = (part for message in said.answered for part in message.parts) if said else ()
    return list(dict.fromkeys(part.name for part in parts if part.kind == "call"))


def _shown(call: Call, view: View) -> Text | None:
    return as_text(getattr(call.body, view.tab, None)) if view.tab in {"request", "response"} else None


def _bodies(call: Call) -> list[tuple[str, int, str]]:
    kept = ((name, getattr(call.body, name, None)) for name in ("request", "response"))
    return [
        (name, len(content), f"body?{urlencode({'of': name, 'id': call.id})}")
        for name, content in kept
        if content
    ]


def _speed(call: Call) -> Cell:
    tokens, ttft = call.usage.completion_tokens, call.ttft_ms
    if not call.stream:
        return Cell(UNKNOWN, "Not a stream: there is no time in which the tokens came.")
    if not tokens or ttft is None or call.duration_ms <= ttft:
        return Cell(UNKNOWN, "Not known how many tokens came in which time.")
    return Cell(count(round(1000 * tokens / (call.duration_ms - ttft))))


def _tokens(usage: Usage, call: Call) -> list[tuple[str, int, Cell]]:
    """Input and output always; a part only where the provider named it."""
    return [
        (kind, depth, token_cell(call, tokens))
        for kind, field, depth in _KINDS
        if (tokens := getattr(usage, field)) is not None or depth == 0
    ]


def _meta(call: Call) -> list[tuple[str, str | None]]:
    outcome = call.outcome
    requested = call.request_model if call.request_model != call.model else None
    retry = duration(outcome.retry_after_ms) if outcome.retry_after_ms is not None else None
    return [
        ("Provider", provider_name(call.provider) if call.provider else None),
        ("Host", call.host),
        ("API", call.api),
        ("SDK", call.sdk),
        ("Requested model", requested),
        ("HTTP status", str(outcome.http_status) if outcome.http_status else "no response"),
        ("Finish reason", call.finish_reason),
        ("Service tier", call.service_tier),
        ("Stream", "yes" if call.stream else "no"),
        ("Attempt", str(call.attempt) if call.attempt else None),
        ("Retry after", retry),
        ("Service", call.service),
        ("Route", call.route),
        ("User", call.user_id),
        ("Session", call.session_id),
        ("Prompt", call.prompt_name),
        ("Prompt version", call.prompt_hash),
        *((f"Tag {name}", value) for name, value in (call.tags or {}).items()),
        ("Call", call.id),
        ("Call group", call.call_group),
        ("Duplicate of", call.duplicate_of),
        ("Provider's request id", call.request_id),
        ("Response id", call.response_id),
        ("Host request id", call.host_request_id),
        ("Trace", call.trace_id),
        ("Span", call.span_id),
        ("Parent span", call.parent_id),
        ("Body hash", call.body_hash),
    ]


def _pairs(text: str | None) -> list[tuple[str, str]]:
    """The headers of a JSON object; the text itself if it is none."""
    if not text:
        return []
    known = loads(text[:_LONGEST])
    if not isinstance(known, Mapping):
        return [("rate limit", text[:_LONGEST])]
    return [
        (name[:_LONGEST_PAIR], (value if isinstance(value, str) else indented(value, _LONGEST_PAIR)[0]))
        for name, value in islice(known.items(), _PAIRS)
    ]
