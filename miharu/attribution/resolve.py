"""The owner of a call, for its columns: worked out in the recorder from what the caller left."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from miharu._guard import swallowed
from miharu._quick import quickly_made
from miharu.attribution import tracing
from miharu.attribution.context import Context, Origin
from miharu.attribution.routes.sources import process_source
from miharu.attribution.routes.templates import route_template
from miharu.attribution.spans.given import UNKEPT, as_json
from miharu.attribution.spans.span import OpenSpan
from miharu.attribution.spans.stacks import written
from miharu.attribution.stated import NOTHING, Stated
from miharu.batch import Span
from miharu.exchange import Exchange

__all__ = ("Attribution", "attribution_of", "attribution_of_exchange", "span_record")

LONGEST = 200
"""Characters of a name or an id that are kept."""
_REQUEST_IDS = (b"x-request-id", b"x-correlation-id")


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """To whom a call or a span belongs; the names are those of the columns."""

    route: str | None = None
    host_request_id: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    trace_id: str | None = None
    """``None`` where there is neither a request nor a job nor a span: it is a trace of its own."""
    parent_id: str | None = None
    tags: Mapping[str, str] | None = None
    prompt: str | None = None
    """What the program calls the prompt of its calls; spans have none."""


def attribution_of(
    context: Context | None, stated: Stated | None = None, traced: Any = None, started: int = 0
) -> Attribution:
    """The owner, from what ``now()`` of ``context.py`` gave where a call was made.

    Args:
        context: The first that it gave.
        stated: The second.
        traced: The third.
        started: When that was, by ``time.perf_counter_ns()``.
    """
    if context is None and stated is None and traced is None:
        return _of_program(_route(None))
    context = _still_held(context, started) or Context()
    stated = (stated or NOTHING).merged_with(context.stated)
    trace_id, parent_id, elsewhere = _place(context, traced)
    tags = {_text(name): _text(value) for name, value in {**stated.tags, **elsewhere}.items()}
    return Attribution(
        route=_text(stated.route) if stated.route is not None else _route(context.origin),
        host_request_id=_request_id(context.origin),
        user_id=None if stated.user is None else _text(stated.user) or None,
        session_id=None if stated.session is None else _text(stated.session) or None,
        trace_id=trace_id,
        parent_id=parent_id,
        tags=tags or None,
        prompt=None if stated.prompt is None else _text(stated.prompt) or None,
    )


@lru_cache(8)
def _of_program(route: str | None) -> Attribution:
    """The owner of all that belongs to nothing else."""
    return Attribution(route=route)


def attribution_of_exchange(exchange: Exchange) -> Attribution:
    """The owner of the call that an exchange is; no owner where the host's framework or tracing fails.

    Those are asked here, and a call is a call without them.
    """
    try:
        return attribution_of(exchange.context, exchange.stated, exchange.traced, exchange.started)
    except Exception:  # noqa: BLE001 - the host's own code
        swallowed("finding out to whom a call belongs")
        return Attribution()


def span_record(span: OpenSpan, service: str | None) -> Span:
    """The span as it is stored."""
    attribution = attribution_of(span.outer, span.stated, span.traced, span.started)
    trace_id = span.trace_id
    return Span(
        id=span.id,
        trace_id=trace_id,
        parent_id=attribution.parent_id if attribution.trace_id == trace_id else None,
        name=_text(span.name),
        timestamp=span.timestamp,
        duration_ms=round((span.ended - span.started) / 1e6),
        status=span.status,
        error_type=span.error_type,
        error_message=span.error_message,
        service=service,
        route=attribution.route,
        user_id=attribution.user_id,
        session_id=attribution.session_id,
        tags=attribution.tags,
        kind=span.kind,
        **_content(span),
    )


def _content(span: OpenSpan) -> Mapping[str, str]:
    """What it was given and returned, as JSON, and where its error came from."""
    found: dict[str, str] = {}
    try:
        for name, value in zip(("input", "output"), span.content, strict=True):
            if value is not UNKEPT:
                found[name] = as_json(value)
        if span.frames is not None:
            found["error_stack"] = written(span.frames)
    except Exception:  # noqa: BLE001 - the span is there without it
        swallowed("writing down what a span was given, or its traceback")
    return found


def _still_held(context: Context | None, started: int) -> Context | None:
    """The context without blocks that had been left elsewhere before the call began."""
    while context is not None and context.block is not None and 0 < context.block.strayed < started:
        context = context.block.before
    return context


def _place(context: Context, traced: Any) -> tuple[str | None, str | None, Mapping[str, str]]:
    """Trace, parent, and as tags the ids of an OpenTelemetry trace that is another one.

    The parent is the innermost span of ours, because those are the ones that are stored here.
    """
    theirs = tracing.ids_of(traced)
    origin, span = context.origin, context.span
    if origin is None:
        return (*theirs, {}) if theirs else (None, None, {})
    trace_id = origin.trace_id(traced)
    same = theirs is not None and theirs[0] == trace_id
    elsewhere = {} if theirs is None or same else dict(zip(_OTEL, theirs, strict=True))
    if span is not None:
        return trace_id, span.id, elsewhere
    if theirs is not None and same:
        return trace_id, theirs[1], elsewhere
    caller = tracing.incoming(origin.scope) if origin.scope else None
    return trace_id, caller[1] if caller and caller[0] == trace_id else None, elsewhere


_OTEL = ("otel.trace_id", "otel.span_id")


def _route(origin: Origin | None) -> str | None:
    if origin is not None and origin.source is not None:
        return _text(origin.source)
    if origin is None or origin.scope is None:
        return process_source()
    template = route_template(origin.scope, origin.app)
    method = origin.scope.get("method", "")
    return f"{method} {template}".strip() if template else None


def _request_id(origin: Origin | None) -> str | None:
    """The id that a proxy or the host gave the request."""
    if origin is None or origin.scope is None:
        return None
    headers = {name.lower(): value for name, value in origin.scope.get("headers") or ()}
    found = next((headers[name] for name in _REQUEST_IDS if headers.get(name)), None)
    return None if found is None else found.decode("latin-1")[:LONGEST]


def _text(value: object) -> str:
    try:
        return str(value)[:LONGEST]
    except Exception:  # noqa: BLE001 - an object of the program's that cannot be printed; its kind can
        return f"<{type(value).__qualname__}>"[:LONGEST]
