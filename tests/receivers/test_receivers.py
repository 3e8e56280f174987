"""A trace that miharu sends stands in real receivers, with model, tokens and cost."""

import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import miharu
from tests.calls import ask, rows
from tests.receivers.servers import RECEIVERS, STARTS_S, Stands

if find_spec("phoenix") is None or find_spec("mlflow") is None:
    pytest.skip(
        "the receivers have an environment of their own: requirements/receivers.txt", allow_module_level=True
    )


@pytest.fixture(scope="module", params=RECEIVERS, ids=lambda receiver: receiver.name)
def receiver(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with request.param.running(tmp_path_factory.mktemp(request.param.name)) as url:
        yield request.param, url


@pytest.fixture(autouse=True)
def settings(receiver: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kind, url = receiver
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "60")
    monkeypatch.setenv("NO_PROXY", "*")
    if kind.headers:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_HEADERS", kind.headers)


def standing(receiver: Any, trace: str, count: int) -> dict[str, Stands]:
    """The spans of that trace, once there are so many: receivers take their time."""
    kind, url = receiver
    until = time.monotonic() + STARTS_S
    while len(found := kind.stands(url, trace)) < count:
        assert time.monotonic() < until, found
        time.sleep(0.5)
    return dict(found)


def test_a_trace_stands_there_with_model_tokens_and_cost(receiver: Any, database: Path) -> None:
    miharu.init(database, exporters=["otlp"], capture_content=True, service="shop")
    with miharu.context(user="ada", session="s-1"), miharu.span("work") as work:
        ask("what is miharu?")
    assert miharu.flush(120)
    assert miharu.stats()["not_exported"] == 0
    [row] = rows(database)
    found = standing(receiver, work.trace_id, 2)
    call = found["chat gpt-4o"]
    assert call.model in {"gpt-4o", "gpt-4o-2024-08-06"}
    assert (call.input_tokens, call.output_tokens) == (10, 5)
    assert call.cost == pytest.approx(row["cost_nanousd"] / 1e9)
    assert call.parent == work.id
    assert "what is miharu?" in call.messages
    assert found["work"].parent is None


def test_compressed_and_without_content(
    receiver: Any, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    miharu.init(database, exporters=["otlp"])
    with miharu.span("work") as work:
        for _ in range(50):
            ask("a secret question")
    assert miharu.flush(120)
    assert miharu.stats()["not_exported"] == 0
    found = standing(receiver, work.trace_id, 2)
    assert found["chat gpt-4o"].input_tokens == 10
    assert "secret" not in found["chat gpt-4o"].messages


def test_what_takes_traces_only_is_said_once(
    receiver: Any, database: Path, caplog: pytest.LogCaptureFixture
) -> None:
    miharu.init(database, exporters=["otlp"])
    for _ in range(2):
        ask()
        miharu.score("0" * 31 + "1", "helpful", 1)
        assert miharu.flush(120)
    assert len([line for line in caplog.messages if "takes no metrics" in line]) == 1
    assert len([line for line in caplog.messages if "takes no logs" in line]) == 1
    assert miharu.stats()["not_exported"] == 2  # the scores
