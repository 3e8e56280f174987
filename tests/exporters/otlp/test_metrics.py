"""Metrics of calls, added up."""

import math

import pytest

from miharu.call import Cost, Outcome, Usage
from miharu.exporters.otlp import metrics as module
from miharu.exporters.otlp.metrics import OVERFLOW, Metrics, Point, Series
from miharu.testing.store_contract import make_call


def taken(metrics: Metrics, service: str | None = None) -> dict[str, dict[Series, Point]]:
    points, _, _ = metrics.take()
    return {instrument.name: series for instrument, series in points[service].items()}


def recorded(**facts: object) -> dict[str, dict[Series, Point]]:
    metrics = Metrics()
    metrics.record(make_call(**({"service": None} | facts)))
    return taken(metrics)


def test_an_embedding_is_no_inference() -> None:
    found = recorded(api="openai.embeddings", usage=Usage(prompt_tokens=7), duration_ms=1500)
    assert "gen_ai.client.inference.duration" not in found
    assert "gen_ai.client.inference.usage.input_tokens" not in found
    [duration] = found["gen_ai.client.embeddings.duration"].values()
    [tokens] = found["gen_ai.client.embeddings.operation.input_tokens"].values()
    assert (duration.sum, tokens.sum) == (1.5, 7)


def test_tokens_are_divided_by_modality_where_it_is_known() -> None:
    usage = Usage(prompt_tokens=100, audio_input_tokens=30, image_input_tokens=20, completion_tokens=5)
    found = recorded(usage=usage)
    by_modality = {
        dict(series)["gen_ai.token.modality"]: point.sum
        for series, point in found["gen_ai.client.inference.usage.input_tokens"].items()
    }
    assert by_modality == {"audio": 30, "image": 20, "text": 50}
    [series] = found["gen_ai.client.inference.usage.output_tokens"]
    assert dict(series)["gen_ai.token.modality"] == "unknown"


def test_what_is_not_known_is_not_counted() -> None:
    found = recorded(usage=Usage(), cost=None, ttft_ms=None)
    assert set(found) == {"gen_ai.client.operation.duration", "gen_ai.client.inference.duration"}


def test_the_first_content_of_a_stream_has_a_histogram() -> None:
    [point] = recorded(ttft_ms=250)["gen_ai.client.inference.time_to_first_chunk"].values()
    assert (point.count, point.sum) == (1, 0.25)


def test_costs_add_up() -> None:
    metrics = Metrics()
    for _ in range(3):
        metrics.record(make_call(service=None, cost=Cost(cost_nanousd=1_000_000, cost_source="own")))
    [cost] = taken(metrics)["miharu.call.cost"].values()
    assert math.isclose(cost.sum, 0.003)


def test_nobody_waits_for_what_is_asked_in_a_batch() -> None:
    found = recorded(service_tier="batch", usage=Usage(prompt_tokens=7), duration_ms=0)
    assert "gen_ai.client.operation.duration" not in found
    assert "gen_ai.client.inference.duration" not in found
    assert "gen_ai.client.token.usage" in found


def test_errors_are_told_apart_in_durations_alone() -> None:
    found = recorded(outcome=Outcome(status="error", error_type="rate_limit_error"))
    [series] = found["gen_ai.client.operation.duration"]
    assert dict(series)["error.type"] == "rate_limit_error"


def test_services_are_apart() -> None:
    metrics = Metrics()
    for service in ("a", "b", "b"):
        metrics.record(make_call(service=service))
    for service, count in (("a", 1), ("b", 2)):
        [point] = taken(metrics, service)["gen_ai.client.operation.duration"].values()
        assert point.count == count


def test_series_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_SERIES", 3)
    metrics = Metrics()
    for number in range(10):
        metrics.record(make_call(service=None, request_model=f"model-{number}"))
    durations = taken(metrics)["gen_ai.client.operation.duration"]
    assert len(durations) == 4
    assert durations[OVERFLOW].count == 7


def test_what_was_taken_does_not_change_any_more() -> None:
    metrics = Metrics()
    metrics.record(make_call(service=None))
    assert metrics.changed
    [before] = taken(metrics)["gen_ai.client.operation.duration"].values()
    assert not metrics.changed
    metrics.record(make_call(service=None))
    [after] = taken(metrics)["gen_ai.client.operation.duration"].values()
    assert (before.count, sum(before.buckets)) == (1, 1)
    assert (after.count, sum(after.buckets)) == (2, 2)


def test_delta_starts_over_where_the_last_ended() -> None:
    metrics = Metrics(delta=True)
    metrics.record(make_call(service=None))
    points, _, ended = metrics.take()
    assert points
    points, started, _ = metrics.take()
    assert (points, started) == ({}, ended)


@pytest.mark.parametrize(("value", "bucket"), [(0.0, 0), (0.01, 0), (0.011, 1), (81.92, 13), (100.0, 14)])
def test_a_bucket_includes_its_upper_bound(value: float, bucket: int) -> None:
    bounds = module.DURATION.bounds
    point = Point(bounds)
    point.add(value, bounds)
    assert point.buckets.index(1) == bucket
