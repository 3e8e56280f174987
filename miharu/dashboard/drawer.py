"""One call in full: facts, time, money, tokens, error, identity, and what was said where that is kept."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from miharu.call import Call, Usage
from miharu.dashboard.bodies import Text, as_text, pretty
from miharu.dashboard.colors import Palette, provider_name
from miharu.dashboard.format import UNKNOWN, count, duration
from miharu.dashboard.rows import Cell, cost_cell, error_tag, split_route, token_cell, ttft_cell

__all__ = ("Drawer", "Phase", "drawer")

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


@dataclass(frozen=True, slots=True)
class Phase:
    """A bar of the timeline, in percent of the whole call."""

    name: str
    css: str
    start: float
    width: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawer:
    call: Call
    css: str
    error: str
    method: str
    route: str
    cost: Cell
    price: str
    """Where the cost comes from, or why there is none."""
    ttft: Cell
    prompt: Cell
    completion: Cell
    speed: Cell
    phases: Sequence[Phase]
    tokens: Sequence[tuple[str, int, Cell]]
    """(kind, how deep it is a part of the one above, count)."""
    meta: Sequence[tuple[str, str]]
    limits: Sequence[tuple[str, str]]
    raw_usage: str | None
    request: Text | None
    response: Text | None


def drawer(call: Call, palette: Palette) -> Drawer:
    method, route = split_route(call.route)
    cost = cost_cell(call)
    return Drawer(
        call=call,
        css=palette.model(call.model, call.provider),
        error=error_tag(call.outcome),
        method=method,
        route=route,
        cost=cost,
        price=_price(call, cost),
        ttft=ttft_cell(call),
        prompt=token_cell(call, call.usage.prompt_tokens),
        completion=token_cell(call, call.usage.completion_tokens),
        speed=_speed(call),
        phases=_phases(call),
        tokens=_tokens(call.usage, call),
        meta=[(name, value) for name, value in _meta(call) if value],
        limits=_pairs(call.rate_limit),
        raw_usage=pretty(call.usage.usage_raw) if call.usage.usage_raw else None,
        request=as_text(call.body.request) if call.body else None,
        response=as_text(call.body.response) if call.body else None,
    )


def _price(call: Call, cost: Cell) -> str:
    if call.cost is None:
        return cost.why
    source, _, narrow = call.cost.cost_source.partition(":")
    version = f" {call.cost.price_version}" if call.cost.price_version else ""
    guess = ", found by the model's name alone" if narrow == "model" else ""
    return f"Price from {source}{version}{guess}."


def _speed(call: Call) -> Cell:
    tokens, ttft = call.usage.completion_tokens, call.ttft_ms
    if not call.stream:
        return Cell(UNKNOWN, "Not a stream: there is no time in which the tokens came.")
    if not tokens or ttft is None or call.duration_ms <= ttft:
        return Cell(UNKNOWN, "Not known how many tokens came in which time.")
    return Cell(count(round(1000 * tokens / (call.duration_ms - ttft))))


def _phases(call: Call) -> list[Phase]:
    whole, ttft = call.duration_ms, call.ttft_ms
    if ttft is None or ttft > whole:
        return [Phase("Whole call", "a", 0, 100, duration(whole))]
    split = round(100 * ttft / (whole or 1), 2)
    return [
        Phase("Wait for first token", "a", 0, max(split, 0.5), duration(ttft)),
        Phase("Stream", "b", split, max(100 - split, 0.5), duration(whole - ttft)),
    ]


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
        *((f"Tag {name}", value) for name, value in (call.tags or {}).items()),
        ("Call", call.id),
        ("Call group", call.call_group),
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
    try:
        known = json.loads(text)
    except (ValueError, RecursionError):
        known = None
    if not isinstance(known, Mapping):
        return [("rate limit", text)]
    return [(str(name), str(value)) for name, value in known.items()]
