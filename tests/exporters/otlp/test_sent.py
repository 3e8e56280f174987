"""What arrives at a receiver that reads the real messages."""

import json
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

import miharu
from miharu.exporters.otlp.payloads import EVALUATION
from tests.calls import ask, rows
from tests.exporters.otlp.receiver import Receiver, attributes

FAILED = {"error": {"message": "slow down", "type": "rate_limit_error", "code": "rate_limit_exceeded"}}


def test_a_call_arrives_with_model_tokens_and_cost(receiver: Receiver, database: Path) -> None:
    miharu.init(database, exporters=["otlp"], service="shop")
    with miharu.context(user="ada", session="s-1", tags={"team": "search"}, route="POST /ask"):
        ask()
    assert miharu.flush(20)
    [taken] = receiver.at("/v1/traces")
    [resource] = taken.message.resource_spans
    assert attributes(resource.resource)["service.name"] == "shop"
    assert resource.scope_spans[0].scope.name == "miharu"
    [span] = receiver.spans
    [row] = rows(database)
    assert span.name == "chat gpt-4o"
    assert span.kind == span.SPAN_KIND_CLIENT
    assert span.start_time_unix_nano == row["timestamp"] * 1_000_000
    assert span.end_time_unix_nano - span.start_time_unix_nano == row["duration_ms"] * 1_000_000
    assert span.span_id.hex() == row["span_id"]
    said = attributes(span)
    assert said["gen_ai.operation.name"] == "chat"
    assert said["gen_ai.provider.name"] == "openai"
    assert said["gen_ai.request.model"] == "gpt-4o"
    assert said["gen_ai.response.model"] == "gpt-4o-2024-08-06"
    assert said["gen_ai.response.id"] == "chatcmpl-1"
    assert said["gen_ai.response.finish_reasons"] == ["stop"]
    assert (said["gen_ai.usage.input_tokens"], said["gen_ai.usage.output_tokens"]) == (10, 5)
    assert said["miharu.cost.usd"] == said["gen_ai.usage.cost"] == row["cost_nanousd"] / 1e9
    assert said["server.address"] == "api.openai.com"
    assert (said["user.id"], said["session.id"]) == ("ada", "s-1")
    assert said["gen_ai.conversation.id"] == "s-1"
    assert (said["miharu.route"], said["miharu.tag.team"]) == ("POST /ask", "search")
    assert said["miharu.call.id"] == row["id"]
    assert "error.type" not in said
    assert not [name for name in said if name.endswith("messages")]
    assert miharu.stats()["not_exported"] == 0


def test_by_the_environment_alone(
    receiver: Receiver, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIHARU_EXPORTERS", "otlp")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20abc,x-team=search")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "theirs")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=other,deployment.environment.name=prod")
    miharu.init(database, service="ours")
    ask()
    assert miharu.flush(20)
    [taken] = receiver.at("/v1/traces")
    assert taken.headers["authorization"] == "Bearer abc"
    assert taken.headers["x-team"] == "search"
    assert taken.headers["content-encoding"] == "gzip"
    resource = attributes(taken.message.resource_spans[0].resource)
    assert (resource["service.name"], resource["deployment.environment.name"]) == ("theirs", "prod")


def test_a_failed_call_says_why(receiver: Receiver, database: Path) -> None:
    import httpx2

    miharu.init(database, exporters=["otlp"])
    refused = httpx2.MockTransport(lambda _: httpx2.Response(429, json=FAILED))
    with httpx2.Client(transport=refused) as client:
        client.post("http://127.0.0.1:8080/v1/chat/completions", json={"model": "m", "messages": []})
    assert miharu.flush(20)
    [span] = receiver.spans
    assert span.status.code == span.status.STATUS_CODE_ERROR
    assert span.status.message == "slow down"
    said = attributes(span)
    assert said["error.type"] == "rate_limit_error"
    assert said["http.response.status_code"] == 429
    assert (said["server.address"], said["server.port"]) == ("127.0.0.1", 8080)
    assert "miharu.cost.usd" not in said
    [duration] = receiver.metrics["gen_ai.client.operation.duration"].histogram.data_points
    assert attributes(duration)["error.type"] == "rate_limit_error"


def test_content_only_where_it_is_captured(receiver: Receiver, database: Path) -> None:
    miharu.init(database, exporters=["otlp"], capture_content=True)
    ask("what is it?")
    assert miharu.flush(20)
    said = attributes(receiver.spans[0])
    assert json.loads(said["gen_ai.input.messages"]) == [
        {"role": "user", "parts": [{"type": "text", "content": "what is it?"}]}
    ]
    assert json.loads(said["gen_ai.output.messages"]) == [
        {"role": "assistant", "parts": [{"type": "text", "content": "hi"}], "finish_reason": "stop"}
    ]


def test_spans_hold_their_calls(receiver: Receiver, database: Path) -> None:
    miharu.init(database, exporters=["otlp"])
    work = miharu.span("work")

    def fail() -> None:
        with work:
            ask()
            raise KeyError("missing")

    with pytest.raises(KeyError):
        fail()
    assert miharu.flush(20)
    spans = {span.name: span for span in receiver.spans}
    outer, inner = spans["work"], spans["chat gpt-4o"]
    assert outer.trace_id.hex() == inner.trace_id.hex() == work.trace_id
    assert inner.parent_span_id == outer.span_id
    assert outer.kind == outer.SPAN_KIND_INTERNAL
    assert not outer.parent_span_id
    assert outer.status.code == outer.status.STATUS_CODE_ERROR
    assert attributes(outer)["error.type"] == "builtins.KeyError"


def test_calls_are_children_of_the_active_span_of_opentelemetry(receiver: Receiver, database: Path) -> None:
    miharu.init(database, exporters=["otlp"])
    theirs = SpanContext(0xABC, 0xDEF, is_remote=False, trace_flags=TraceFlags(1))
    with trace.use_span(NonRecordingSpan(theirs)):
        ask()
        with miharu.span("work"):
            ask()
    assert miharu.flush(20)
    spans = receiver.spans
    assert {span.trace_id.hex() for span in spans} == {f"{0xABC:032x}"}
    work = next(span for span in spans if span.name == "work")
    assert work.parent_span_id.hex() == f"{0xDEF:016x}"
    parents = sorted(span.parent_span_id.hex() for span in spans if span.name != "work")
    assert parents == sorted([f"{0xDEF:016x}", work.span_id.hex()])


def test_scores_are_evaluations_of_their_call(receiver: Receiver, database: Path) -> None:
    miharu.init(database, exporters=["otlp"], service="shop")
    with miharu.capture() as calls, miharu.span("work") as work:
        ask()
    assert miharu.flush(20)
    miharu.score(calls[0].id, "helpful", 0.5, comment="half of it")
    miharu.score(work, "polite", value=True)
    assert miharu.flush(20)
    by_name = {attributes(log)["gen_ai.evaluation.name"]: log for log in receiver.logs}
    helpful, polite = by_name["helpful"], by_name["polite"]
    assert helpful.event_name == polite.event_name == EVALUATION
    said = attributes(helpful)
    assert said["gen_ai.evaluation.score.value"] == 0.5
    assert said["gen_ai.evaluation.explanation"] == "half of it"
    assert helpful.span_id.hex() == calls[0].span_id
    assert helpful.trace_id.hex() == polite.trace_id.hex() == work.trace_id
    assert polite.span_id == b""
    for taken in receiver.at("/v1/logs"):
        assert attributes(taken.message.resource_logs[0].resource)["service.name"] == "shop"


def test_metrics_add_up(receiver: Receiver, database: Path) -> None:
    miharu.init(database, exporters=["otlp"], service="shop")
    ask()
    ask()
    assert miharu.flush(20)
    ask()
    assert miharu.flush(20)
    metrics = receiver.metrics
    usage = {
        attributes(point)["gen_ai.token.type"]: point
        for point in metrics["gen_ai.client.token.usage"].histogram.data_points
    }
    assert (usage["input"].count, usage["input"].sum) == (3, 30)
    assert (usage["output"].count, usage["output"].sum) == (3, 15)
    assert usage["input"].bucket_counts[list(usage["input"].explicit_bounds).index(16)] == 3
    [duration] = metrics["gen_ai.client.operation.duration"].histogram.data_points
    assert (duration.count, attributes(duration)["gen_ai.request.model"]) == (3, "gpt-4o")
    [cost] = metrics["miharu.call.cost"].sum.data_points
    assert cost.as_double == pytest.approx(3 * 75_000 / 1e9)
    [tokens] = metrics["gen_ai.client.inference.usage.input_tokens"].sum.data_points
    assert (tokens.as_int, attributes(tokens)["gen_ai.token.modality"]) == (30, "unknown")
    assert duration.start_time_unix_nano < duration.time_unix_nano


def test_delta_metrics_start_over(
    receiver: Receiver, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta")
    miharu.init(database, exporters=["otlp"])
    counts: list[Any] = []
    for _ in range(2):
        ask()
        assert miharu.flush(20)
        [point] = receiver.metrics["gen_ai.client.operation.duration"].histogram.data_points
        counts.append(point.count)
    assert counts == [1, 1]


def test_a_signal_can_be_left_out(
    receiver: Receiver, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "none")
    monkeypatch.setenv("OTEL_LOGS_EXPORTER", "none")
    miharu.init(database, exporters=["otlp"])
    ask()
    miharu.score("0" * 32, "helpful", 1)
    assert miharu.flush(20)
    assert {taken.path for taken in receiver.taken} == {"/v1/traces"}


def test_each_signal_has_an_address_of_its_own(
    receiver: Receiver, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"{receiver.url}/tenant/v1/traces?key=k")
    miharu.init(database, exporters=["otlp"])
    ask()
    assert miharu.flush(20)
    assert {taken.path for taken in receiver.taken} == {"/tenant/v1/traces", "/v1/metrics"}


def test_one_connection_serves_many_requests(receiver: Receiver, database: Path) -> None:
    miharu.init(database, exporters=["otlp"])
    for _ in range(3):
        ask()
        assert miharu.flush(20)
    taken = receiver.at("/v1/traces")
    assert len(taken) == 3
    assert len({one.connection for one in taken}) == 1


def test_what_is_waiting_is_sent_without_a_flush(
    receiver: Receiver, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "50")
    miharu.init(database, exporters=["otlp"])
    ask()
    receiver.wait(1)
    receiver.wait(1, "/v1/metrics")


def test_a_full_request_is_sent_at_once(
    receiver: Receiver, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "600000")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "3")
    miharu.init(database, exporters=["otlp"])
    for _ in range(6):
        ask()
    receiver.wait(2)
    assert len(receiver.spans) == 6


def test_the_end_of_the_program_sends_what_waits(receiver: Receiver, database: Path) -> None:
    miharu.init(database, exporters=["otlp"])
    ask()
    assert miharu.shutdown(20)
    assert len(receiver.spans) == 1


def test_all_is_off_where_opentelemetry_is(
    receiver: Receiver, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    miharu.init(database, exporters=["otlp"])
    ask()
    miharu.score("0" * 31 + "1", "helpful", 1)
    assert miharu.flush(20)
    assert receiver.taken == []
    assert miharu.stats()["not_exported"] == 0


def test_what_is_sent_is_no_call(receiver: Receiver, database: Path) -> None:
    miharu.init(database, exporters=["otlp"])
    ask()
    assert miharu.flush(20)
    assert miharu.shutdown(20)
    assert len(rows(database)) == 1


def test_a_run_of_a_tool_that_was_made_out_from_the_conversation_is_not_sent(
    receiver: Receiver, database: Path
) -> None:
    """The program's own tracing may send it, and more exactly."""
    import httpx2

    call = {"id": "call_1", "type": "function", "function": {"name": "find", "arguments": "{}"}}
    answers = iter([{"tool_calls": [call]}, {"content": "found"}])

    def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json={"choices": [{"message": next(answers), "finish_reason": "stop"}]})

    miharu.init(database, exporters=["otlp"])
    address = "http://127.0.0.1:8080/v1/chat/completions"
    with httpx2.Client(transport=httpx2.MockTransport(answer)) as client:
        client.post(address, json={"model": "m", "messages": []})
        brought = [{"role": "tool", "tool_call_id": "call_1", "content": "x"}]
        client.post(address, json={"model": "m", "messages": brought})
    assert miharu.flush(20)
    assert [span.name for span in receiver.spans] == ["chat m", "chat m"]
    [kept] = rows(database, "llm_spans")
    assert (kept["name"], kept["kind"]) == ("find", "execute_tool")
