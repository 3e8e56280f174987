"""Exchange -> Call: who was asked, and in which format."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from miharu._bounds import believed, bounded, payable
from miharu._guard import count, say_once, swallowed
from miharu._ids import minting
from miharu.attribution.resolve import Attribution, attribution_of_exchange, span_record
from miharu.attribution.spans.span import OpenSpan
from miharu.batch import Span
from miharu.call import Call, Cost, Outcome, changed, filled
from miharu.exchange import Exchange, Part, Request
from miharu.kept_body import KEPT_HEAD
from miharu.measures import with_named
from miharu.providers.base import Provider, Reading, Wire
from miharu.providers.batches import Results, results_of
from miharu.providers.gateways import cached_by
from miharu.providers.hosts import provider_of
from miharu.providers.terms import served_model, terms_of
from miharu.recorder.reading.attempts import Attempts
from miharu.recorder.reading.batches import Batches, row_of
from miharu.recorder.reading.estimate import estimated
from miharu.recorder.reading.formats import Formats
from miharu.recorder.reading.headers import attempt_of, rate_limit_of, request_id_of, sdk_of
from miharu.recorder.reading.jobs import Jobs
from miharu.recorder.reading.outcome import ended, outcome_of
from miharu.recorder.reading.prompts import Prompts
from miharu.recorder.reading.tool_names import asked_for, named, teller_of
from miharu.recorder.reading.tool_runs import ToolRuns
from miharu.recorder.spool.unread import Unread
from miharu.recorder.waste.finder import WasteFinder
from miharu.wire.decoding import decode
from miharu.wire.headers import lowered

__all__ = ("Reader",)


class Reader:
    """Reads exchanges with the providers that it is given, in their order."""

    def __init__(
        self,
        providers: Iterable[Provider],
        *,
        service: str | None = None,
        capture_content: bool = False,
        estimate_usage: bool = False,
        redact: Callable[[Any], Any] | None = None,
        ignore: Callable[[Call], bool] | None = None,
        mint: Callable[[int], str] | None = None,
    ) -> None:
        # here, on the recorder's thread: its patterns take a while to compile
        from miharu.recorder.reading.content import seen
        from miharu.recorder.reading.redactor import Redactor

        self._formats = Formats(providers)
        self.redactor = Redactor(redact)
        self._seen = seen
        self._ignore = ignore
        self.service = service
        self.capture_content = capture_content
        self.estimate_usage = estimate_usage
        self._attempts = Attempts()
        self._waste = WasteFinder()
        self._jobs = Jobs()
        self._prompts = Prompts()
        self._tool_runs = ToolRuns()
        self._recognised: list[Span] = []
        self._batches = Batches()
        self._mint = mint or minting()

    def read(self, exchange: Exchange) -> Call | None:
        """The call, or ``None``: a redirect hop, or nothing that any provider knows."""
        return next(iter(self.calls(exchange)), None)

    def span(self, left: OpenSpan | Span) -> Span:
        """The span as it is kept."""
        span = span_record(left, self.service) if isinstance(left, OpenSpan) else left
        self._tool_runs.recorded(span)
        return self.redactor.span(span)

    def recognised(self) -> Sequence[Span]:
        """The runs of tools that the calls have told of which were read since this was asked last."""
        found, self._recognised = self._recognised, []
        return found

    def calls(self, exchange: Exchange) -> Sequence[Call] | Iterator[Call]:
        """The call or none; of the results of a batch an iterator, which reads line by line."""
        if exchange.status is not None and 300 <= exchange.status < 400:
            return ()
        request = exchange.request()
        host = request.host.rpartition("@")[2].partition(":")[0]
        candidates = self._formats.of(request.method, host, request.path)
        if not candidates:
            return ()
        wire = _wire(exchange, request)
        if request.method == "GET" and (results := _results(candidates, wire)) is not None:
            return self._lines(exchange, request, wire, results)
        call = self._call_of(exchange, request, candidates, wire)
        return () if call is None else (call,)

    def _lines(self, exchange: Exchange, request: Request, wire: Wire, results: Results) -> Iterator[Call]:
        known = self._batches.heard(request.host, results, exchange.timestamp)
        if known.is_read:
            return
        if wire.unread or exchange.lost:
            count()
            say_once(
                "the results of a batch came faster than they can be read, or were too large; what was left "
                "out of them is not recorded, unless they are fetched again."
            )
        is_any = False
        for line in results.lines:
            is_any = True
            call = self._call(exchange, request, line.wire, line.api, line.reading)
            call = row_of(call, line, known, results.names[0])
            call = bounded(self.redactor.call(call, request))
            kept = call if self._ignore is None else _kept(call, self._ignore)
            if kept is not None:
                yield self._attempts.place(kept)
        if isinstance(exchange, Part):
            exchange.whole.parts -= 1
        elif is_any and not isinstance(exchange, Unread):
            whole = exchange.end == "eof" and not (exchange.parts or exchange.lost or wire.unread)
            known.is_read = whole

    def _call_of(
        self, exchange: Exchange, request: Request, candidates: Sequence[Provider], wire: Wire
    ) -> Call | None:
        provider, reading = _found(candidates, wire)
        if (
            reading is None and exchange.shed and request.method == "POST"
        ):  # that it was a call is counted, though its bodies tell nothing
            provider, reading = candidates[0], Reading(terminated=False)
        if provider is None or reading is None:
            return None
        began = self._jobs.began(provider.api, reading, exchange.timestamp)
        if began is None:
            return None
        made = self._call(exchange, request, wire, provider.api, reading)
        if asked := asked_for(made, wire, provider):
            made = filled(made, tools=named(asked))
        call = bounded(self.redactor.call(self._with_version(made, provider, wire), request))
        if call.prompt_hash is not None and call.prompt_name is None:
            filled(call, prompt_name=self._named(call, provider))
        if call.completes:
            call = self._completion(call, reading, began)
        kept = call if self._ignore is None else _kept(call, self._ignore)
        if kept is None or kept.completes:
            return kept
        outer, placed = kept.trace_id, self._attempts.place(kept)
        found = self._tool_runs.told_by(placed, outer, asked, wire.asked, teller_of(provider))
        self._recognised += map(self.redactor.span, found)
        return self._waste.find(placed, _comparable(request))

    def _with_version(self, call: Call, provider: Provider, wire: Wire) -> Call:
        """The call with the version of its prompt, where it has one."""
        try:
            version = self._prompts.version(provider, wire, call.timestamp)
        except Exception:  # noqa: BLE001 - a plug-in's format, or a request that is made to be unreadable
            swallowed(f"finding the prompt of a call in {provider.api}")
            return call
        return call if version is None else filled(call, prompt_hash=version)

    def _named(self, call: Call, provider: Provider) -> str | None:
        try:
            return self._prompts.name(call, provider)
        except Exception:  # noqa: BLE001 - as above
            swallowed(f"naming the prompt of a call in {provider.api}")
            return None

    def _completion(self, call: Call, reading: Reading, began: int) -> Call:
        """The same, from the beginning of the call that it completes."""
        lasted = reading.lasted_ms or max(0, call.timestamp + call.duration_ms - began)
        return bounded(replace(call, id=self._mint(began), timestamp=began, duration_ms=lasted))

    def _call(self, exchange: Exchange, request: Request, wire: Wire, api: str, reading: Reading) -> Call:
        attribution, outcome = _attribution(exchange), outcome_of(exchange, wire, reading)
        strange = isinstance(exchange, Unread) and exchange.is_strange
        keeps_content = self.capture_content and not exchange.shed and not strange
        id_ = exchange.id if isinstance(exchange, Unread) else self._mint(exchange.timestamp)
        terms = terms_of(wire, reading)
        call = Call(
            id=id_,
            timestamp=exchange.timestamp,
            api=api,
            provider=wire.provider,
            host=request.host.rpartition("@")[2],
            sdk=sdk_of(request.headers),
            model=served_model(wire) or reading.model or reading.request_model,
            request_model=reading.request_model,
            stream=reading.stream,
            outcome=_without_message(outcome) if strange else outcome,
            usage=with_named(believed(reading.usage), reading.quantities, terms),
            cost=_stated(reading, wire),
            duration_ms=round((ended(exchange, reading) - exchange.started) / 1e6),
            ttft_ms=reading.ttft_ms,
            finish_reason=reading.finish_reason,
            service_tier=reading.service_tier,
            response_id=reading.response_id,
            request_id=request_id_of(wire.headers),
            rate_limit=rate_limit_of(wire.headers),
            attempt=attempt_of(request.headers),
            body_hash=_hash(_comparable(request)),
            service=self.service,
            route=attribution.route,
            host_request_id=attribution.host_request_id,
            user_id=attribution.user_id,
            session_id=attribution.session_id or reading.conversation_id,
            trace_id=attribution.trace_id,
            span_id=id_.replace("-", "")[16:],
            parent_id=attribution.parent_id,
            tags=_tags(attribution, reading),
            prompt_name=attribution.prompt,
            body=self._seen(request, wire) if keeps_content else None,
            completes=reading.completes,
        )
        if self.estimate_usage and not reading.completes and not exchange.shed:
            guessed = estimated(call, request.body, wire.body)
            if guessed is not call:
                return changed(guessed, usage=with_named(guessed.usage, reading.quantities, terms))
        return call


def _comparable(request: Request) -> bytes | None:
    """The body that says all that was asked: in a session it depends on what was said before."""
    return request.body if request.gap is None and request.method != "WEBSOCKET" else None


def _tags(attribution: Attribution, reading: Reading) -> Mapping[str, str] | None:
    """The session of the provider is a tag where the program has named one of its own."""
    named = reading.conversation_id
    if named is None or attribution.session_id is None or named == attribution.session_id:
        return attribution.tags
    return {"gen_ai.conversation.id": named, **(attribution.tags or {})}


def _kept(call: Call, ignore: Callable[[Call], bool]) -> Call | None:
    """The call, unless it is left out; where that cannot be told, without its content."""
    try:
        return None if ignore(call) else call
    except Exception as error:  # noqa: BLE001 - the user's function
        count()
        say_once(
            "a function of ignore= failed (%s); such calls are kept, without their content.",
            type(error).__name__,
        )
        return replace(call, body=None)


def _results(candidates: Sequence[Provider], wire: Wire) -> Results | None:
    """What it says of a batch; ``None`` where it has nothing to do with one."""
    for provider in candidates:
        try:
            results = results_of(provider, wire)
        except Exception:  # noqa: BLE001 - an answer that is made to be unreadable
            swallowed(f"reading an answer as {provider.api}")
            continue
        if results is not None:
            return results
    return None


def _found(candidates: Sequence[Provider], wire: Wire) -> tuple[Provider | None, Reading | None]:
    """In which format it is, and what is said in it."""
    for provider in candidates:
        reading = _read(provider, wire)
        if reading is not None:
            return provider, reading
    return None, None


def _read(provider: Provider, wire: Wire) -> Reading | None:
    """What the provider makes of it; where its reader fails on a known host, that it was a call at all."""
    try:
        return provider.read(wire)
    except Exception:  # noqa: BLE001 - a format that has changed, or an answer that is made to be unreadable
        swallowed(f"reading an answer as {provider.api}")
        return Reading(terminated=False) if wire.provider is not None else None


def _without_message(outcome: Outcome) -> Outcome:
    """Without what was said: it might repeat a credential that was known to another process alone."""
    return replace(outcome, error_message=None)


def _attribution(exchange: Exchange) -> Attribution:
    if isinstance(exchange, Unread) and exchange.attribution is not None:
        return exchange.attribution
    return attribution_of_exchange(exchange)


def _wire(exchange: Exchange, request: Request) -> Wire:
    headers = lowered(exchange.response_headers)
    encoding = "" if exchange.decoded else headers.get("content-encoding", "")
    decoded = decode(_readable(exchange, encoding), encoding)
    gap, unread = decoded.gap, decoded.unread
    if exchange.tail:
        if encoding:
            unread = unread or f"Of the compressed answer only the first {KEPT_HEAD >> 20} MB were kept."
        else:
            gap = sum(map(len, exchange.chunks))
    started = exchange.started
    return Wire(
        method=request.method,
        host=request.host,
        path=request.path,
        query=request.query,
        provider=provider_of(request.host),
        request_headers=request.headers,
        request_body=request.body,
        request_gap=request.gap,
        fields=request.fields,
        status=exchange.status,
        headers=headers,
        body=decoded.body,
        gap=gap,
        unread=unread,
        end=exchange.end or "dropped",
        marks=tuple(zip(decoded.lengths, [arrived - started for arrived in exchange.arrivals], strict=False)),
    )


def _readable(exchange: Exchange, encoding: str) -> Iterable[bytes]:
    """The chunks that can be decoded: behind the hole of a large body no encoding finds its way again."""
    return exchange.chunks if encoding or not exchange.tail else [*exchange.chunks, *exchange.tail]


def _stated(reading: Reading, wire: Wire) -> Cost | None:
    """What the provider itself says, which knows its discounts; nothing for what a gateway had cached."""
    if wire.status == 200 and (gateway := cached_by(wire.headers)):
        return Cost(cost_nanousd=0, cost_source=f"gateway-cache:{gateway}")
    if reading.stated_cost_usd is None or not reading.stated_cost_usd.is_finite():
        return None
    nano = (reading.stated_cost_usd * 10**9).quantize(Decimal(1), rounding=ROUND_HALF_EVEN)
    return payable(Cost(cost_nanousd=int(nano), cost_source="provider"))


def _hash(body: bytes | None) -> str | None:
    return hashlib.blake2b(body, digest_size=16).hexdigest() if body else None
