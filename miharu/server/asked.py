"""Which calls a request of the API means: the names of the pages, and those of the columns.

What is not understood is refused with the names that there are: an answer about all calls, to a question
about some of them, would look right.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any, Literal

from litestar import Request
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.params import FromQuery, QueryParameter

from miharu.call import Status
from miharu.conditions.language import Condition, Conditions, is_storable
from miharu.conditions.parsing import parse
from miharu.dashboard.address.filters import FILTERS
from miharu.dashboard.address.ranges import RANGES, read_instant
from miharu.dashboard.address.windows import Window
from miharu.dashboard.address.zones import UTC, zone_named
from miharu.errors import ConditionError
from miharu.stores.base import Query
from miharu.stores.narrowing import narrowed, possible

__all__ = ("Moment", "asked_for", "moment", "names_of", "refuse_unknown")

_DAY = 24 * 3600 * 1000
_INJECTED = {"asked", "now", "reader"}

Moment = Annotated[str | None, QueryParameter(description="Unix milliseconds, or ISO 8601.")]
Tags = Annotated[
    list[str] | None,
    QueryParameter(description="A name and its value: team=search. Of several of one name, any."),
]
Named = Annotated[
    Literal["1h", "24h", "7d", "30d", "today", "month"] | None,
    QueryParameter(description="The time up to now, as on the pages; in place of start and end."),
]
Zoned = Annotated[
    str | None,
    QueryParameter(description="Whose today and whose month, such as Europe/Vienna; by default UTC."),
]
Several = FromQuery[list[str] | None]
"""Any of these."""
Asked = Annotated[
    str | None,
    QueryParameter(description="Conditions, as in the dashboard: cost>0.01 model:gpt-* -user:u_1001."),
]
_SEVERAL = {*FILTERS, *FILTERS.values()}


def asked_for(  # noqa: PLR0917 - Litestar passes them by name
    now: NamedDependency[int],
    range: Named = None,  # noqa: A002 - the page's word
    tz: Zoned = None,
    start: Moment = None,
    end: Moment = None,
    model: Several = None,
    provider: Several = None,
    route: Several = None,
    user: Several = None,
    service: Several = None,
    session: Several = None,
    trace: Several = None,
    error: Several = None,
    attempts: Several = None,
    prompt: Several = None,
    version: Several = None,
    tag: Tags = None,
    status: FromQuery[list[Status] | None] = None,
    q: Asked = None,
    user_id: Several = None,
    session_id: Several = None,
    trace_id: Several = None,
    call_group: Several = None,
    error_type: Several = None,
    prompt_name: Several = None,
    prompt_hash: Several = None,
) -> Query:
    """The question to the store."""
    first, last = _period(now, range, tz, start, end)
    values: dict[str, Sequence[str] | None] = {
        "model": model,
        "provider": provider,
        "route": route,
        "service": service,
        "status": status,
        "user_id": _either("user", user, "user_id", user_id),
        "session_id": _either("session", session, "session_id", session_id),
        "trace_id": _either("trace", trace, "trace_id", trace_id),
        "error_type": _either("error", error, "error_type", error_type),
        "call_group": _either("attempts", attempts, "call_group", call_group),
        "prompt_name": _either("prompt", prompt, "prompt_name", prompt_name),
        "prompt_hash": _either("version", version, "prompt_hash", prompt_hash),
    }
    fields: dict[str, Any] = {}
    conditions: list[Condition] = []
    for name, given in values.items():
        if given and len(given) == 1:
            fields[name] = given[0]
        elif given:
            conditions.append(Condition(field=name, operator="in", values=tuple(dict.fromkeys(given))))
    tags = list(_tags(tag or ()))
    if len(tags) == 1 and len(tags[0].values) == 1:
        fields["tag"] = (tags[0].name, tags[0].values[0])
    else:
        conditions += tags
    return _narrowed(Query(start=first, end=last, **fields), conditions, q)


def _tags(given: Sequence[str]) -> Iterator[Condition]:
    """Any of the values of each name."""
    by_name: dict[str, list[str]] = {}
    for pair in given:
        name, sign, value = pair.partition("=")
        if not (name and sign):
            raise ClientException(f"tag={pair!r} is not a name and its value: give one like team=search.")
        by_name.setdefault(name, []).append(value)
    for name, values in by_name.items():
        yield Condition(field="tag", operator="in", values=tuple(dict.fromkeys(values)), name=name)


def _narrowed(query: Query, conditions: Sequence[Condition], q: str | None) -> Query:
    try:
        asked = parse(q or "")
        found = narrowed(query, Conditions((*conditions, *asked.conditions), asked.words))
        possible(found)
    except ConditionError as error:
        what = {"text": error.text, "faults": list(map(asdict, error.faults)), "mended": error.mended}
        raise ClientException(f"q is not understood, {error}", extra=what) from error
    except ValueError as error:
        raise ClientException(f"{error}.") from error
    return found


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
    """Refuse a parameter that does not exist, or one that is given two values and takes one."""
    handler: Any = request.route_handler
    names = names_of(handler.fn, request.path_params)
    several = _SEVERAL if "asked" in inspect.signature(handler.fn).parameters else set()
    given: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name not in names:
            raise ClientException(f"There is no parameter {name!r} here. There are: {', '.join(names)}.")
        if given.setdefault(name, value) != value and name not in several:
            raise ClientException(f"{name} is given two values. Ask for each of them in turn.")
        if not is_storable(value) and name != "q":
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


def _either(
    name: str, value: Sequence[str] | None, column: str, other: Sequence[str] | None
) -> Sequence[str] | None:
    """By its name on the pages, or by that of its column."""
    if value is not None and other is not None and value != other:
        raise ClientException(f"{name} and {column} are the same: give one of them.")
    return other if value is None else value
