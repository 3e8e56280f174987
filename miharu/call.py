"""The domain's types: one call to a model, what it used, what it cost and how it ended.

They travel from the wire to the page unchanged, so each is frozen, and every field is a column of
``llm_calls`` under the same name (``stores/columns.py``).

Usage has one normal form for all providers: cache reads, cache writes and audio are parts of the prompt
total, reasoning is part of the completion total, and ``None`` means that the provider did not say.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any, Literal

from miharu._ids import moment_of, new_id
from miharu._quick import quickly_made

__all__ = (
    "BATCH",
    "Body",
    "Call",
    "Cost",
    "Outcome",
    "Status",
    "Usage",
    "UsageSource",
    "changed",
    "ended",
    "filled",
    "moment_of",
    "new_id",
)

Status = Literal["success", "error", "cancelled"]
UsageSource = Literal["provider", "estimated", "none"]
BATCH = "batch"
"""The service tier of what was asked in a batch: it has prices of its own, and waits for hours."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens, as the provider reported them."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_5m_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    reasoning_tokens: int | None = None
    audio_input_tokens: int | None = None
    audio_output_tokens: int | None = None
    image_input_tokens: int | None = None
    image_output_tokens: int | None = None
    usage_source: UsageSource = "none"
    usage_raw: str | None = None
    """The provider's own usage object, as JSON, verbatim."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Money, in nano-dollars (1 USD = 10**9)."""

    cost_nanousd: int
    cost_source: str
    """Who says so.

    ``provider``: the provider or a gateway, in its answer. ``genai-prices``: the list of prices;
    ``genai-prices:model`` where it goes by the model's name alone, behind an unknown host. ``own``: a price
    of ``init(prices=…)``. ``sender``: the program that has sent it by OpenTelemetry's protocol.
    ``gateway-cache:…``: nothing, because that gateway has answered out of its cache.
    ``not-billed:refusal``, ``not-billed:provider``: nothing, because the provider does not bill it.
    """
    price_version: str | None = None


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a call ended."""

    status: Status
    http_status: int | None = None
    """``None`` when no response came."""
    error_type: str | None = None
    """The provider's own type or code, else the HTTP status, else the exception's qualified name. Of a
    cancelled call ``client_disconnected``, where the host's own client had gone; else ``None``."""
    error_message: str | None = None
    retry_after_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What was sent and what came back, content-encoding undone. Kept only with ``capture_content=True``."""

    request: bytes | None
    response: bytes | None


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One exchange with a model. Every attempt of an SDK is a call of its own."""

    id: str
    """A UUIDv7 that begins with ``timestamp``."""
    timestamp: int
    """Unix milliseconds at the start."""
    api: str
    """The wire format, such as ``openai.chat``."""
    outcome: Outcome
    usage: Usage = field(default_factory=Usage)
    cost: Cost | None = None
    """``None`` when the price is not known; never zero for that reason."""
    model: str | None = None
    """As the response names it, else as requested."""
    request_model: str | None = None
    provider: str | None = None
    """OpenTelemetry's ``gen_ai.provider.name`` where it has one, by the host that was asked."""
    host: str | None = None
    sdk: str | None = None
    stream: bool = False
    duration_ms: int = 0
    """Until the last byte was consumed, or the end of it by error or cancellation; 0 in a batch, where nobody
    waits for an answer and the time of a single one is not told."""
    ttft_ms: int | None = None
    """Until the first generated content of a stream was consumed; not its first byte."""
    finish_reason: str | None = None
    service_tier: str | None = None
    response_id: str | None = None
    request_id: str | None = None
    """The provider's id of the HTTP exchange, for its support desk."""
    rate_limit: str | None = None
    """The rate-limit headers of the response, as JSON."""
    attempt: int | None = None
    """1 for the first try, where the SDK says which try it is."""
    call_group: str | None = None
    body_hash: str | None = None
    service: str | None = None
    route: str | None = None
    """Method and route template of the host app's request, such as ``POST /chat/{thread_id}``.

    For work outside of requests it is what that is called, so that "who spent it" has one answer:
    ``celery send_mail``, ``arq resize``, ``rq app.jobs.sync``, ``apscheduler nightly``, ``script ingest.py``,
    ``notebook report.ipynb``. ``None`` where a server makes a call and it is not known for which request.
    """
    host_request_id: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    trace_id: str | None = None
    span_id: str | None = None
    parent_id: str | None = None
    tags: Mapping[str, str] | None = None
    prompt_name: str | None = None
    """What the program calls the prompt; else its first words where content is captured, and the beginning of
    ``prompt_hash`` where it is not."""
    prompt_hash: str | None = None
    """Of the fixed part of the request, its system prompt and its tools: a version of the prompt. ``varies``
    where there are too many to tell them apart; ``None`` where there is no fixed part."""
    duplicate_of: str | None = None
    """The id of an earlier call of this process that asked the very same and was answered."""
    cache_missed_tokens: int | None = None
    """Prompt tokens that an earlier request began with too, and that were not read from a cache."""
    cache_missed_nanousd: int | None = None
    """What reading them from the provider's cache would have saved."""
    tools: str | None = None
    """The names of the tools that the answer asked for, in order, as a JSON list; ``None`` where it asked
    for none."""
    body: Body | None = None
    completes: bool = False
    """It is the end of the call with the same ``response_id`` that was opened before; not stored."""

    @property
    def is_timed(self) -> bool:
        """Whether ``duration_ms`` says how long somebody waited for the answer."""
        return self.service_tier != BATCH

    @property
    def is_unpriced(self) -> bool:
        """Whether it used tokens, or may have, and has no price. An error without usage is never billed."""
        return self.cost is None and (self.outcome.status != "error" or self.usage.prompt_tokens is not None)


_NAMES = tuple(each.name for each in fields(Call))
_VALUES = attrgetter(*_NAMES)


def changed(call: Call, **facts: Any) -> Call:
    """The call with other facts: what ``dataclasses.replace`` does, in half the time."""
    return Call(**{**dict(zip(_NAMES, _VALUES(call), strict=True)), **facts})


def ended(opened: Call, end: Call) -> Call:
    """A call that was opened before, with what is known at its end."""
    asked = opened.body.request if opened.body else None
    return changed(
        opened,
        model=end.model or opened.model,
        outcome=end.outcome,
        usage=end.usage,
        cost=end.cost,
        finish_reason=end.finish_reason,
        service_tier=end.service_tier,
        duration_ms=end.duration_ms,
        tools=end.tools,
        body=end.body and Body(request=asked or end.body.request, response=end.body.response),
    )


def filled(call: Call, **facts: Any) -> Call:
    """The same call object, changed in place, with facts that are known only now.

    Only for the code that has made the call, before any other code has it: a copy costs the time of all of
    its texts.
    """
    for name, value in facts.items():
        object.__setattr__(call, name, value)
    return call
