"""One call as one line of a table."""

from collections.abc import Sequence
from dataclasses import dataclass

from miharu.call import Call, Outcome
from miharu.dashboard.address.view import View
from miharu.dashboard.charts.colors import Palette
from miharu.wording.names import model_name, provider_name
from miharu.wording.numbers import count, duration, money

__all__ = ("CallRow", "Cell", "cost_cell", "error_tag", "rows", "split_route", "token_cell", "ttft_cell")


@dataclass(frozen=True, slots=True)
class Cell:
    """A value, and in words why it is a dash or a guess."""

    text: str
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRow:
    id: str
    timestamp: int
    link: str
    status: str
    css: str
    model: str
    api: str
    error: str
    attempt: int | None
    """Which attempt it was, where not the first."""
    method: str
    route: str
    prompt: Cell
    completion: Cell
    ttft: Cell
    total: str
    cost: Cell
    wait: float
    """Percent of the longest call in view, until the first token."""
    rest: float
    """Percent of the longest call in view, after it."""
    score: float | None = None
    """Where calls are in the order of one."""


def rows(calls: Sequence[Call], view: View, palette: Palette, page: str = "calls") -> list[CallRow]:
    """The lines; each leads to itself, opened beside the list on that page."""
    longest = max((call.duration_ms for call in calls), default=0) or 1
    return [_row(call, view.link(page, sel=call.id, tab="pretty"), palette, longest) for call in calls]


def _row(call: Call, link: str, palette: Palette, longest: int) -> CallRow:
    method, route = split_route(call.route)
    wait = min(call.ttft_ms or 0, call.duration_ms)
    return CallRow(
        id=call.id,
        timestamp=call.timestamp,
        link=link,
        status=call.outcome.status,
        css=palette.model(call.model, call.provider),
        model=model_name(call.model),
        api=_api(call),
        error=error_tag(call.outcome),
        attempt=call.attempt if (call.attempt or 1) > 1 else None,
        method=method,
        route=route,
        prompt=token_cell(call, call.usage.prompt_tokens),
        completion=token_cell(call, call.usage.completion_tokens),
        ttft=ttft_cell(call),
        total=duration(call.duration_ms if call.is_timed else None),
        cost=cost_cell(call),
        wait=round(100 * wait / longest, 2),
        rest=round(max(100 * (call.duration_ms - wait) / longest, 0.6), 2),
    )


def split_route(route: str | None) -> tuple[str, str]:
    """The method and the path of a route such as ``POST /chat/{id}``."""
    method, _, path = (route or "").partition(" ")
    return (method, path) if path and method.isupper() else ("", route or "")


def error_tag(outcome: Outcome) -> str:
    """What went wrong, in a few words; empty for a success."""
    if outcome.status == "success":
        return ""
    if outcome.status == "cancelled":
        return "cancelled"
    kind, status = outcome.error_type or "", str(outcome.http_status or "")
    failed = outcome.http_status is not None and outcome.http_status >= 400
    return f"{status} {kind}".strip() if failed and status not in kind else kind or "error"


def token_cell(call: Call, tokens: int | None) -> Cell:
    if tokens is None:
        return Cell(count(None), "The provider did not say.")
    if call.usage.usage_source == "estimated":
        return Cell(f"~{count(tokens)}", "An estimate of miharu's: the provider did not say.")
    return Cell(count(tokens))


def ttft_cell(call: Call) -> Cell:
    if call.ttft_ms is not None:
        return Cell(duration(call.ttft_ms))
    return Cell(duration(None), "No content came." if call.stream else "Not a stream: the answer came whole.")


def cost_cell(call: Call) -> Cell:
    if call.cost is not None:
        if call.usage.usage_source == "estimated":
            return Cell(
                f"~{money(call.cost.cost_nanousd)}", "From estimated tokens: the provider did not say."
            )
        return Cell(money(call.cost.cost_nanousd))
    if call.usage.usage_source == "none" and call.outcome.status == "error":
        return Cell(money(None), "It failed, and no usage was reported that could be priced.")
    if call.usage.usage_source == "none":
        return Cell(money(None), "No usage was reported, so there is nothing to put a price on.")
    return Cell(money(None), f"No known price for {call.model or 'an unknown model'}.")


def _api(call: Call) -> str:
    """The wire format, with the provider before it where the format does not name it."""
    if not call.provider or call.api.startswith(call.provider):
        return call.api
    return f"{provider_name(call.provider)} · {call.api}"
