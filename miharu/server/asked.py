"""Which calls a request of the API means: the names of the pages, and those of the columns.

What is not understood is refused with the names that there are: an answer about all calls, to a question
about some of them, would look right.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from litestar import Request
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.params import FromQuery, QueryParameter

from miharu.call import Status
from miharu.dashboard.address.ranges import RANGES, read_instant
from miharu.dashboard.address.view import is_storable
from miharu.dashboard.address.windows import Window
from miharu.dashboard.address.zones import UTC, zone_named
from miharu.stores.base import Query

__all__ = ("Moment", "asked_for", "moment", "names_of", "refuse_unknown")

_DAY = 24 * 3600 * 1000
_INJECTED = {"asked", "now", "reader"}

Moment = Annotated[str | None, QueryParameter(description="Unix milliseconds, or ISO 8601.")]
Tag = Annotated[
    str | None, QueryParameter(description="A name and its value: team=search.", pattern="^[^=]+=")
]
Named = Annotated[
    Literal["1h", "24h", "7d", "30d", "today", "month"] | None,
    QueryParameter(description="The time up to now, as on the pages; in place of start and end."),
]
Zoned = Annotated[
    str | None,
    QueryParameter(description="Whose today and whose month, such as Europe/Vienna; by default UTC."),
]
Text = FromQuery[str | None]


def asked_for(  # noqa: PLR0917 - Litestar passes them by name
    now: NamedDependency[int],
    range: Named = None,  # noqa: A002 - the page's word
    tz: Zoned = None,
    start: Moment = None,
    end: Moment = None,
    model: Text = None,
    provider: Text = None,
    route: Text = None,
    user: Text = None,
    service: Text = None,
    session: Text = None,
    trace: Text = None,
    error: Text = None,
    attempts: Text = None,
    prompt: Text = None,
    version: Text = None,
    tag: Tag = None,
    status: FromQuery[Status | None] = None,
    user_id: Text = None,
    session_id: Text = None,
    trace_id: Text = None,
    call_group: Text = None,
    error_type: Text = None,
    prompt_name: Text = None,
    prompt_hash: Text = None,
) -> Query:
    """The question to the store."""
    first, last = _period(now, range, tz, start, end)
    name, _, value = (tag or "").partition("=")
    return Query(
        start=first,
        end=last,
        model=model,
        provider=provider,
        route=route,
        service=service,
        status=status,
        tag=(name, value) if name else None,
        user_id=_either("user", user, "user_id", user_id),
        session_id=_either("session", session, "session_id", session_id),
        trace_id=_either("trace", trace, "trace_id", trace_id),
        error_type=_either("error", error, "error_type", error_type),
        call_group=_either("attempts", attempts, "call_group", call_group),
        prompt_name=_either("prompt", prompt, "prompt_name", prompt_name),
        prompt_hash=_either("version", version, "prompt_hash", prompt_hash),
    )


def moment(name: str, text: str | None) -> int | None:
    """Unix milliseconds."""
    if text is None:
        return None
    if (ms := read_instant(text)) is None:
        raise ClientException(f"{name}={text!r} is not a moment: give Unix milliseconds, or ISO 8601.")
    return ms


def names_of(function: Callable[..., Any], path: Mapping[str, Any]) -> list[str]:
    """The parameters that a handler takes, in order."""
    own = list(inspect.signature(function).parameters)
    filters = list(inspect.signature(asked_for).parameters) if "asked" in own else []
    return [name for name in dict.fromkeys([*filters, *own]) if name not in _INJECTED and name not in path]


def refuse_unknown(request: Request[Any, Any, Any]) -> None:
    """Refuse a parameter that does not exist, or one that is given two values."""
    handler: Any = request.route_handler
    names = names_of(handler.fn, request.path_params)
    given: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name not in names:
            raise ClientException(f"There is no parameter {name!r} here. There are: {', '.join(names)}.")
        if given.setdefault(name, value) != value:
            raise ClientException(f"{name} is given two values. Ask for each of them in turn.")
        if not is_storable(value):
            raise ClientException(f"The value of {name} is too long, or holds what is not text.")


def _period(
    now: int, named: str | None, tz: str | None, start: str | None, end: str | None
) -> tuple[int, int]:
    zone = UTC if tz is None else zone_named(tz)
    if zone is None:
        raise ClientException(
            f"tz={tz!r} is not a time zone that is known here: give one like Europe/Vienna."
        )
    if named is None:
        last = moment("end", end)
        last = now + 1 if last is None else last
        first = moment("start", start)
        return (last - _DAY if first is None else first), last
    if start is not None or end is not None:
        raise ClientException("range stands in place of start and end: give it, or them.")
    window = Window.of_range(RANGES[named], now, zone)
    return window.start, window.end


def _either(name: str, value: str | None, column: str, other: str | None) -> str | None:
    """By its name on the pages, or by that of its column."""
    if value is not None and other is not None and value != other:
        raise ClientException(f"{name} and {column} are the same: give one of them.")
    return other if value is None else value
