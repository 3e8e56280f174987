"""OTLP/HTTP at the door: both encodings, bounds and refusals, and which span is which row."""

import gzip
import json
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from miharu.batch import Batch, Span
from miharu.call import Call, new_id
from miharu.config import Config
from miharu.ingest import Ingest
from miharu.ingest.otlp import endpoint, sorting
from miharu.monitor import Monitor
from miharu.stores.base import Query
from miharu.stores.sqlite.questions import SQLiteQuestions
from miharu.wire.batches import sent
from tests.remote.test_door import TOKEN, app_of, call, client

NOW = int(time.time()) * 1000 - 3_600_000
"""An hour ago: old prompts and answers are deleted, and calls of the future refused."""
ALL = Query(start=0, end=1 << 42)
TRACE = "5b8efff798038103d269b633813fc60c"
PROTOBUF = {"Content-Type": "application/x-protobuf"}
JSON = {"Content-Type": "application/json"}
CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 1000,
    "gen_ai.usage.output_tokens": 10,
}


def value(given: Any) -> dict[str, Any]:
    if isinstance(given, bool):
        return {"boolValue": given}
    if isinstance(given, int):
        return {"intValue": str(given)}
    if isinstance(given, float):
        return {"doubleValue": given}
    if isinstance(given, list):
        return {"arrayValue": {"values": [value(one) for one in given]}}
    if isinstance(given, dict):
        return {"kvlistValue": {"values": pairs(given)}}
    return {"stringValue": given}


def pairs(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": value(one)} for key, one in found.items()]


def span(number: int, attributes: dict[str, Any], parent: int = 0, **more: Any) -> dict[str, Any]:
    """A span in JSON; an outer one starts before and ends after what is within it."""
    start = NOW * 1_000_000 + number * 1_000_000
    return {
        "traceId": TRACE,
        "spanId": f"{number:016x}",
        "parentSpanId": f"{parent:016x}" if parent else "",
        "name": f"span {number}",
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + 500_000_000),
        "attributes": pairs(attributes),
        **more,
    }


def request(*spans: dict[str, Any], scope: str = "an.instrumentor") -> dict[str, Any]:
    resource = {"attributes": pairs({"service.name": "shop"})}
    scoped = [{"scope": {"name": scope}, "spans": list(spans)}]
    return {"resourceSpans": [{"resource": resource, "scopeSpans": scoped}]}


def encoded(found: dict[str, Any]) -> bytes:
    """The same in protobuf, whose JSON has ids in base64."""
    import base64

    from google.protobuf import json_format

    kind: Any = ExportTraceServiceRequest() if "resourceSpans" in found else ExportLogsServiceRequest()

    def turned(part: Any) -> Any:
        if isinstance(part, list):
            return [turned(one) for one in part]
        if not isinstance(part, dict):
            return part
        return {
            name: base64.b64encode(bytes.fromhex(one)).decode()
            if name in {"traceId", "spanId", "parentSpanId"}
            else turned(one)
            for name, one in part.items()
        }

    data: bytes = json_format.ParseDict(turned(found), kind).SerializeToString()
    return data


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIHARU_TOKEN", TOKEN)


@pytest.fixture
def taking(database: Path, request: pytest.FixtureRequest) -> Iterator[Monitor]:
    content = bool(getattr(request, "param", False))
    monitor = Monitor(Config.resolve(database, capture_content=content), watching=False)
    monitor.start()
    yield monitor
    assert monitor.stop(30)


@pytest.fixture
async def sender(taking: Monitor) -> AsyncIterator[httpx.AsyncClient]:
    async with client(app_of(Ingest(lambda: taking))) as asking:
        yield asking


async def stored(monitor: Monitor) -> tuple[list[Call], list[Span]]:
    calls = await monitor.read(lambda: monitor.questions.calls(ALL, limit=500))
    spans = await monitor.read(lambda: monitor.questions.spans(TRACE))
    return list(calls), list(spans)


async def post(sender: httpx.AsyncClient, *spans: dict[str, Any], scope: str = "an.instrumentor") -> None:
    answer = await sender.post("/v1/traces", json=request(*spans, scope=scope))
    assert (answer.status_code, answer.json()) == (200, {})


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("form", ["protobuf", "json"])
async def test_both_encodings_are_taken(
    sender: httpx.AsyncClient, taking: Monitor, form: str, *, packed: bool
) -> None:
    attributes = CHAT | {
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.response.time_to_first_chunk": 0.25,
        "gen_ai.request.stream": True,
        "gen_ai.conversation.id": "s-1",
        "user.id": "ada",
        "gen_ai.prompt.name": "support.answer",
        "miharu.prompt.hash": "d41f00c0ffee",
        "nested": {"a": [1, 2.5, True]},
    }
    message = request(span(2, attributes, 1))
    body = encoded(message) if form == "protobuf" else json.dumps(message).encode()
    headers = (PROTOBUF if form == "protobuf" else JSON) | ({"Content-Encoding": "gzip"} if packed else {})
    answer = await sender.post("/v1/traces", content=gzip.compress(body) if packed else body, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == headers["Content-Type"]
    assert answer.content == (b"" if form == "protobuf" else b"{}")
    ((found,), spans) = await stored(taking)
    assert spans == []
    assert (found.trace_id, found.span_id, found.parent_id) == (TRACE, f"{2:016x}", f"{1:016x}")
    assert (found.timestamp, found.duration_ms, found.ttft_ms, found.stream) == (NOW + 2, 500, 250, True)
    assert (found.api, found.provider, found.model, found.sdk) == (
        "otel.chat",
        "openai",
        "gpt-4o",
        "an.instrumentor",
    )
    assert (found.usage.prompt_tokens, found.usage.completion_tokens) == (1000, 10)
    assert (found.finish_reason, found.session_id, found.user_id, found.service) == (
        "stop",
        "s-1",
        "ada",
        "shop",
    )
    assert (found.prompt_name, found.prompt_hash) == ("support.answer", "d41f00c0ffee")
    assert found.cost is not None
    assert found.cost.cost_source == "genai-prices"
    assert found.body is None


async def test_what_is_sent_again_is_no_second_row(sender: httpx.AsyncClient, taking: Monitor) -> None:
    for _ in range(3):
        await post(
            sender,
            span(2, CHAT | {"gen_ai.response.id": "r-1"}, 1),
            span(1, {"gen_ai.operation.name": "invoke_agent"}),
        )
    calls, spans = await stored(taking)
    assert (len(calls), len(spans)) == (1, 1)


async def test_the_innermost_span_is_the_call(sender: httpx.AsyncClient, taking: Monitor) -> None:
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 1000}
    await post(
        sender,
        span(1, agent),
        span(2, {"http.route": "/chat"}, 1),
        span(3, CHAT, 2),
        span(4, {"something": "else"}, 3),
        span(5, CHAT, 4),
        span(6, {"db.system": "sqlite"}, 1),
    )
    calls, spans = await stored(taking)
    assert [one.span_id for one in calls] == [f"{5:016x}"]
    assert [one.name for one in spans] == ["span 1", "span 2", "span 3", "span 4"]


async def test_a_wrapper_that_comes_later_is_none_either(sender: httpx.AsyncClient, taking: Monitor) -> None:
    await post(sender, span(5, CHAT, 4))
    await post(sender, span(4, {"something": "else"}, 3))
    await post(sender, span(3, CHAT, 2))
    calls, spans = await stored(taking)
    assert ([one.span_id for one in calls], [one.name for one in spans]) == (
        [f"{5:016x}"],
        ["span 3", "span 4"],
    )


async def test_the_same_response_is_the_same_call(sender: httpx.AsyncClient, taking: Monitor) -> None:
    answered = CHAT | {"gen_ai.response.id": "r-1"}
    await post(
        sender, span(2, answered, 1), span(3, answered, 1), span(4, CHAT | {"gen_ai.response.id": "r-2"}, 1)
    )
    await post(sender, span(5, answered, 1))
    calls, spans = await stored(taking)
    assert sorted(one.response_id or "" for one in calls) == ["r-1", "r-2"]
    assert len(spans) == 2


USAGE = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")
RECEIPT = {name: one for name, one in CHAT.items() if name not in USAGE} | {"gen_ai.response.id": "resp_1"}


@pytest.mark.parametrize("other_trace", [False, True])
@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("ending", ["answered", "failed"])
async def test_a_background_response_is_one_call(
    sender: httpx.AsyncClient, taking: Monitor, ending: str, at_once: bool, other_trace: bool
) -> None:
    """Its receipt, a look while it works, and its end are spans of their own."""
    end: dict[str, Any] = RECEIPT | (
        {name: CHAT[name] for name in USAGE} if ending == "answered" else {"error.type": "server_error"}
    )
    where: dict[str, Any] = {"traceId": TRACE[::-1]} if other_trace else {}
    spans = [span(1, RECEIPT), span(2000, RECEIPT, **where), span(90_000, end, **where)]
    for several in [spans] if at_once else [[one] for one in spans]:
        await post(sender, *several)
    await post(sender, span(90_001, end, **where))
    await post(sender, spans[0])
    (found,), _ = await stored(taking)
    assert (found.timestamp, found.duration_ms) == (NOW + 1, 90_000 - 1 + 500)
    assert found.outcome.status == ("success" if ending == "answered" else "error")
    assert found.usage.prompt_tokens == (1000 if ending == "answered" else None)
    assert (found.cost is not None) == (ending == "answered")


@pytest.mark.parametrize("known", [{"parent_id": f"{7:016x}"}, {"response_id": "r-1"}])
async def test_a_call_that_an_interceptor_has_seen_is_not_doubled(
    sender: httpx.AsyncClient, taking: Monitor, known: dict[str, str]
) -> None:
    seen = call(trace_id=TRACE, span_id="f" * 16, **known)
    await sender.post("/v1/miharu", content=sent(Batch(calls=[seen])))
    await post(sender, span(7, CHAT | {"gen_ai.response.id": "r-1"}))
    calls, spans = await stored(taking)
    assert ([one.id for one in calls], [one.id for one in spans]) == ([seen.id], [f"{7:016x}"])


def alone(number: int, at_ms: int = 0, *, trace: int | None = None) -> dict[str, Any]:
    """A call in a trace of its own, or in that one, later by so much."""
    start = (NOW + at_ms) * 1_000_000
    trace_id = f"{number if trace is None else trace:032x}"
    times: dict[str, Any] = {"startTimeUnixNano": str(start), "endTimeUnixNano": str(start + 1_000_000)}
    return span(number, CHAT | {"gen_ai.response.id": f"r-{number}"}, traceId=trace_id, **times)


class LookUps:
    """Counts what the store is asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.named: list[int] = []
        look = SQLiteQuestions.calls

        async def counted(asked: Any, query: Query, *args: Any, **kwargs: Any) -> Any:
            self.named += [len(one.values) for one in query.conditions]
            return await look(asked, query, *args, **kwargs)

        monkeypatch.setattr(SQLiteQuestions, "calls", counted)


async def seen(monitor: Monitor, *calls: Call) -> None:
    """An interceptor has stored these."""
    async with client(app_of(Ingest(lambda: monitor))) as asking:
        assert (await asking.post("/v1/miharu", content=sent(Batch(calls=calls)))).status_code == 200


async def test_what_is_known_of_many_traces_is_looked_up_at_once(
    sender: httpx.AsyncClient, taking: Monitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = [call(id=new_id(NOW), trace_id=f"{n:032x}", response_id=f"r-{n}") for n in range(1, 121)]
    await seen(taking, *known)
    asked = LookUps(monkeypatch)
    await post(sender, *(alone(number) for number in range(1, 131)))
    assert sorted(asked.named) == [30, 50, 50]
    calls, _ = await stored(taking)
    assert sorted(one.response_id or "" for one in calls) == sorted(f"r-{number}" for number in range(1, 131))


async def test_traces_of_other_times_are_looked_up_by_themselves(
    sender: httpx.AsyncClient, taking: Monitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that no look-up goes through a longer time than its traces took."""
    asked = LookUps(monkeypatch)
    hour = 3_600_000
    await post(sender, *(alone(number, -number * 2 * hour) for number in range(1, 4)), alone(4, -2 * hour))
    assert sorted(asked.named) == [1, 1, 2]


async def test_a_call_is_known_around_the_time_of_its_own_trace(
    sender: httpx.AsyncClient, taking: Monitor
) -> None:
    minute = 60_000
    at = NOW - 90 * minute
    await seen(taking, call(id=new_id(at), timestamp=at, trace_id=f"{1:032x}", response_id="r-1"))
    await post(sender, alone(1), alone(2, -50 * minute))
    calls, _ = await stored(taking)
    assert sorted(one.response_id or "" for one in calls) == ["r-1", "r-1", "r-2"]


async def test_of_traces_with_many_calls_each_is_known(
    sender: httpx.AsyncClient, taking: Monitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sorting, "STORED", 4)
    known = [
        call(id=new_id(NOW + n), timestamp=NOW + n, trace_id=f"{n % 5 + 1:032x}", response_id=f"r-{n}")
        for n in range(5, 25)
    ]
    await seen(taking, *known)
    await post(sender, *(alone(100 + n, trace=n % 5 + 1) | {"attributes": of(n)} for n in range(5, 25)))
    calls, _ = await stored(taking)
    assert sorted(one.id for one in calls) == sorted(one.id for one in known)


def of(number: int) -> list[dict[str, Any]]:
    return pairs(CHAT | {"gen_ai.response.id": f"r-{number}"})


async def test_a_failure_is_a_call_that_failed(sender: httpx.AsyncClient, taking: Monitor) -> None:
    exception = {"name": "exception", "attributes": pairs({"exception.type": "openai.RateLimitError"})}
    bare = {name: one for name, one in CHAT.items() if "usage" not in name}
    await post(
        sender,
        span(
            1,
            bare,
            events=[exception],
            status={"code": 2, "message": "slow down: sk-proj-4f9aB2xQ7LmZ0tR8vW3kYc61"},
        ),
        span(2, bare | {"error.type": "429"}, status={"code": "STATUS_CODE_ERROR"}),
    )
    calls, _ = await stored(taking)
    second, first = calls
    assert (first.outcome.status, first.outcome.error_type) == ("error", "openai.RateLimitError")
    assert "slow down" in (first.outcome.error_message or "")
    assert "sk-proj" not in (first.outcome.error_message or "")
    assert (second.outcome.error_type, second.outcome.http_status) == ("429", 429)
    assert (first.cost, first.usage.usage_source) == (None, "none")


CONVENTIONS: dict[str, tuple[dict[str, Any], str, tuple[Any, ...]]] = {
    "before v1.27": (
        {
            "gen_ai.system": "openai",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.usage.prompt_tokens": 7,
            "gen_ai.usage.completion_tokens": 3,
        },
        "an.instrumentor",
        ("openai", "gpt-4o", 7, 3, None, None),
    ),
    "v1.41": (
        CHAT | {"gen_ai.usage.cache_read.input_tokens": 600, "gen_ai.usage.cache_creation.input_tokens": 100},
        "an.instrumentor",
        ("openai", "gpt-4o", 1000, 10, 600, 100),
    ),
    "input without the cache": (
        CHAT | {"gen_ai.usage.input_tokens": 20, "gen_ai.usage.cache_read.input_tokens": 600},
        "an.instrumentor",
        ("openai", "gpt-4o", 620, 10, 600, None),
    ),
    "OpenInference": (
        {
            "openinference.span.kind": "LLM",
            "llm.provider": "google",
            "llm.model_name": "gemini-2.5-pro",
            "llm.token_count.prompt": 9,
            "llm.token_count.completion": 4,
        },
        "openinference.x",
        ("gcp.gemini", "gemini-2.5-pro", 9, 4, None, None),
    ),
    "AI SDK 4": (
        {
            "ai.operationId": "ai.generateText.doGenerate",
            "ai.model.id": "gpt-4o",
            "ai.model.provider": "openai.chat",
            "ai.usage.promptTokens": 5,
            "ai.usage.completionTokens": 6,
        },
        "ai",
        ("openai", "gpt-4o", 5, 6, None, None),
    ),
    "Langfuse": (
        {
            "langfuse.observation.type": "generation",
            "langfuse.observation.model.name": "gpt-4o",
            "langfuse.observation.usage_details": '{"input": 5, "output": 6, "input_cached_tokens": 2}',
        },
        "langfuse-sdk",
        (None, "gpt-4o", 7, 6, 2, None),
    ),
}


@pytest.mark.parametrize("name", CONVENTIONS)
async def test_each_convention_is_read(sender: httpx.AsyncClient, taking: Monitor, name: str) -> None:
    attributes, scope, wanted = CONVENTIONS[name]
    await post(sender, span(1, attributes), scope=scope)
    (found,), _ = await stored(taking)
    usage = found.usage
    assert wanted == (
        found.provider,
        found.model,
        usage.prompt_tokens,
        usage.completion_tokens,
        usage.cached_tokens,
        usage.cache_write_tokens,
    )


@pytest.mark.parametrize(
    "stated",
    [
        {"gen_ai.usage.cost": 0.25},
        {"llm.cost.total": "0.25"},
        {"langfuse.observation.cost_details": '{"input": 0.2, "output": 0.05}'},
        {"miharu.cost.usd": 0.25},
    ],
)
async def test_what_the_sender_says_it_cost_holds(
    sender: httpx.AsyncClient, taking: Monitor, stated: dict[str, Any]
) -> None:
    await post(sender, span(1, CHAT | stated))
    (found,), _ = await stored(taking)
    assert found.cost is not None
    assert (found.cost.cost_nanousd, found.cost.cost_source) == (250_000_000, "sender")


@pytest.mark.parametrize("stated", ["NaN", "-1", "much", 1e30, True])
async def test_a_cost_that_cannot_be_is_not_believed(
    sender: httpx.AsyncClient, taking: Monitor, stated: Any
) -> None:
    await post(sender, span(1, CHAT | {"gen_ai.usage.cost": stated}))
    (found,), _ = await stored(taking)
    assert found.cost is not None
    assert found.cost.cost_source == "genai-prices"


@pytest.mark.parametrize("taking", [True], indirect=True)
async def test_content_is_kept_where_that_was_asked_for(sender: httpx.AsyncClient, taking: Monitor) -> None:
    said = {"gen_ai.input.messages": '[{"role": "user", "parts": []}]', "gen_ai.output.messages": "Fine."}
    event = {"name": "gen_ai.choice", "attributes": pairs({"content": "in an event"})}
    old = {"gen_ai.prompt.0.content": "old sk-proj-4f9aB2xQ7LmZ0tR8vW3kYc61"}
    record = {
        "traceId": TRACE,
        "spanId": f"{1:016x}",
        "eventName": "gen_ai.user.message",
        "body": value({"content": "in a record"}),
    }
    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
    assert (await sender.post("/v1/logs", json=logs)).json() == {}
    await post(sender, span(1, CHAT | said | old, events=[event]))
    (found,), _ = await stored(taking)
    whole = await taking.read(lambda: taking.questions.call(found.id))
    assert whole is not None
    assert whole.body is not None
    asked, answered = json.loads(whole.body.request or b""), json.loads(whole.body.response or b"")
    assert asked["gen_ai.input.messages"] == [{"role": "user", "parts": []}]
    assert asked["events"][0]["body"] == {"content": "in a record"}
    assert "sk-proj" not in asked["gen_ai.prompt.0.content"]
    assert answered["gen_ai.output.messages"] == "Fine."
    assert answered["events"][0]["content"] == "in an event"


async def test_what_is_no_span_is_rejected_and_the_others_are_taken(
    sender: httpx.AsyncClient, taking: Monitor
) -> None:
    wrong = [span(1, CHAT, traceId="00"), span(2, CHAT, endTimeUnixNano="1")]
    message = request(*wrong, span(3, CHAT))
    answer = await sender.post("/v1/traces", json=message)
    partial = {"rejectedSpans": "2", "errorMessage": "A span has no valid trace_id and span_id."}
    assert (answer.status_code, answer.json()) == (200, {"partialSuccess": partial})
    answer = await sender.post("/v1/traces", content=encoded(message), headers=PROTOBUF)
    parsed = ExportTraceServiceResponse.FromString(answer.content).partial_success
    assert (parsed.rejected_spans, parsed.error_message) == (2, partial["errorMessage"])
    assert len((await stored(taking))[0]) == 1


YEAR_NS = 31_557_600 * 10**9


@pytest.mark.parametrize("form", ["protobuf", "json"])
@pytest.mark.parametrize("years", [-20, 2, 200])
async def test_what_is_of_another_time_is_rejected_and_said(
    sender: httpx.AsyncClient, taking: Monitor, years: int, form: str
) -> None:
    """A clock that is wrong, or a holder of the token who dates calls, moves no sum of another time."""
    when = NOW * 1_000_000 + years * YEAR_NS
    wrong = span(1, CHAT, startTimeUnixNano=str(when), endTimeUnixNano=str(when + 1))
    never_ending = span(2, CHAT, endTimeUnixNano=str(NOW * 1_000_000 + 200 * YEAR_NS))
    records = [{"timeUnixNano": str(when)}, {"observedTimeUnixNano": str(when)}, {"body": value("undated")}]
    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}
    for path, message, rejected in (
        ("/v1/traces", request(wrong, never_ending, span(3, CHAT)), 2),
        ("/v1/logs", logs, 2),
    ):
        body, headers = (
            (json.dumps(message).encode(), JSON) if form == "json" else (encoded(message), PROTOBUF)
        )
        answer = await sender.post(path, content=body, headers=headers)
        assert answer.status_code == 200
        if form == "json":
            partial = answer.json()["partialSuccess"]
            found = next(n for name, n in partial.items() if name != "errorMessage"), partial["errorMessage"]
        else:
            kind = ExportTraceServiceResponse if path == "/v1/traces" else ExportLogsServiceResponse
            parsed: Any = kind.FromString(answer.content).partial_success
            of = "rejected_spans" if path == "/v1/traces" else "rejected_log_records"
            found = getattr(parsed, of), parsed.error_message
        assert int(found[0]) == rejected
        assert "from before 2015, or more than a day ahead; set its clock right" in found[1]
    (call,), _ = await stored(taking)
    assert call.timestamp == NOW + 3


async def test_a_clock_may_be_a_little_ahead(sender: httpx.AsyncClient, taking: Monitor) -> None:
    ahead = str(int((time.time() + 80_000) * 1e9))
    await post(sender, span(1, CHAT, startTimeUnixNano=ahead, endTimeUnixNano=ahead))
    found = await taking.read(lambda: taking.questions.calls(Query(start=0, end=1 << 43), limit=5))
    assert len(found) == 1


@pytest.mark.parametrize(
    ("headers", "body", "status", "words"),
    [
        ({"Content-Type": "text/plain"}, b"", 415, "not 'text/plain'"),
        (JSON | {"Content-Encoding": "br"}, b"", 415, "not with 'br'"),
        (JSON, b"nothing", 400, "not an ExportTraceServiceRequest"),
        (JSON, b"[1]", 400, "not an ExportTraceServiceRequest"),
        (
            JSON,
            b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "xyz"}]}]}]}',
            400,
            "not an Export",
        ),
        (JSON, b'{"a":' * 100_000, 400, "not an ExportTraceServiceRequest"),
        (PROTOBUF, b"\xff\xff", 400, "not an ExportTraceServiceRequest in protobuf"),
        (JSON | {"Content-Encoding": "gzip"}, b"nothing", 400, "cannot be decompressed"),
        (JSON | {"Content-Encoding": "gzip"}, gzip.compress(bytes(21 << 20)), 413, "larger than"),
    ],
)
async def test_what_cannot_be_taken_is_refused_in_words(
    sender: httpx.AsyncClient, headers: dict[str, str], body: bytes, status: int, words: str
) -> None:
    for path in ("/v1/logs", "/v1/traces"):
        answer = await sender.post(path, content=body, headers=headers)
        assert answer.status_code == status or (path == "/v1/logs" and b"resourceSpans" in body)
    assert words.encode() in answer.content
    kind = headers["Content-Type"]
    assert answer.headers["content-type"] == (kind if "protobuf" in kind else "application/json")


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("path", ["/v1/traces", "/v1/logs"])
async def test_json_may_be_less_large_than_protobuf(
    sender: httpx.AsyncClient, path: str, packed: bool
) -> None:
    """It is parsed as a whole: small objects take 25 times as much memory as they have bytes."""
    large = b'{"x":[' + b"{}," * ((4 << 20) // 3) + b"{}]}"
    largest = b" " * ((4 << 20) - 2) + b"{}"
    coded: dict[str, str] = {"Content-Encoding": "gzip"} if packed else {}
    for content, headers, status in (
        (large, JSON, 413),
        (largest, JSON, 200),
        (bytes(5 << 20), PROTOBUF, 400),
    ):
        body = gzip.compress(content) if packed else content
        answer = await sender.post(path, content=body, headers=headers | coded)
        assert answer.status_code == status, answer.content


async def test_too_many_spans_are_refused(sender: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "MOST_SPANS", 1)
    answer = await sender.post("/v1/traces", json=request(span(1, CHAT), span(2, CHAT)))
    assert answer.status_code == 413


async def test_without_the_package_json_is_taken(
    sender: httpx.AsyncClient, taking: Monitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = encoded(request(span(1, CHAT)))
    for name in ("trace", "logs"):
        monkeypatch.setitem(sys.modules, f"opentelemetry.proto.collector.{name}.v1.{name}_service_pb2", None)
    answer = await sender.post("/v1/traces", content=body, headers=PROTOBUF)
    assert answer.status_code == 415
    assert b'pip install "miharu[otlp]"' in answer.content
    await post(sender, span(1, CHAT))
    assert len((await stored(taking))[0]) == 1


async def test_log_records_are_taken_in_both_encodings(sender: httpx.AsyncClient) -> None:
    logs = {
        "resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": value("hello"), "severityText": "INFO"}]}]}]
    }
    answer = await sender.post("/v1/logs", content=encoded(logs), headers=PROTOBUF)
    assert (answer.status_code, answer.content) == (200, b"")
    assert ExportLogsServiceResponse.FromString(answer.content) is not None


TOOL = {
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": "refund",
    "gen_ai.tool.call.arguments": '{"order": 7}',
    "gen_ai.tool.call.result": '"done"',
}


@pytest.mark.parametrize("taking", [False, True], indirect=True)
@pytest.mark.parametrize("as_protobuf", [False, True])
async def test_work_keeps_its_kind_and_a_tool_its_name(
    sender: httpx.AsyncClient, taking: Monitor, as_protobuf: bool, request: pytest.FixtureRequest
) -> None:
    failure = {"exception.type": "ValueError", "exception.stacktrace": "Traceback: at line 1"}
    message = globals()["request"](
        span(1, {"gen_ai.operation.name": "invoke_agent"}),
        span(
            2,
            TOOL,
            1,
            status={"code": 2, "message": "no"},
            events=[{"name": "exception", "timeUnixNano": "1", "attributes": pairs(failure)}],
        ),
        span(3, {"openinference.span.kind": "TOOL", "tool.name": "find", "input.value": "x"}, 1),
        span(4, {"openinference.span.kind": "CHAIN"}, 1),
        span(5, {"traceloop.span.kind": "tool", "traceloop.entity.name": "look"}, 1),
        span(6, {"ai.operationId": "ai.toolCall", "ai.toolCall.name": "count", "ai.toolCall.args": "{}"}, 1),
        span(7, CHAT | {"gen_ai.output.messages": json.dumps(ASKS)}, 1),
    )
    body, kind = (encoded(message), PROTOBUF) if as_protobuf else (json.dumps(message).encode(), JSON)
    assert (await sender.post("/v1/traces", content=body, headers=kind)).status_code == 200
    calls, spans = await stored(taking)
    assert [(one.name, one.kind) for one in spans] == [
        ("span 1", "invoke_agent"),
        ("refund", "execute_tool"),
        ("find", "execute_tool"),
        ("span 4", None),
        ("look", "execute_tool"),
        ("count", "execute_tool"),
    ]
    assert calls[0].tools == '["refund", "find"]'
    tool = await taking.read(lambda: taking.questions.span(TRACE, f"{2:016x}"))
    assert tool is not None
    content = taking.config.capture_content
    assert (tool.input, tool.output) == (('{"order": 7}', '"done"') if content else (None, None))
    assert (tool.status, tool.error_type, tool.error_stack) == ("error", "ValueError", "Traceback: at line 1")


ASKS = [
    {
        "role": "assistant",
        "parts": [
            {"type": "text", "content": "x"},
            {"type": "tool_call", "name": "refund", "arguments": {}},
            {"type": "tool_call", "name": "find", "arguments": {}},
        ],
    }
]
