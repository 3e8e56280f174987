"""Under overload each span is either stored or refused so that its sender sends it again: none is lost."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from miharu.config import Config
from miharu.errors import StoreError
from miharu.ingest import Ingest
from miharu.ingest import door as doors
from miharu.ingest.rate import Rate
from miharu.monitor import Monitor
from miharu.recorder import recorder, run
from tests.otlp.test_taking import CHAT, JSON, PROTOBUF, TRACE, encoded, pairs, request, span, stored, value
from tests.remote.test_door import BEARER, TOKEN, app_of, client

AGAIN = {429, 502, 503, 504}
"""After these alone a sender sends the same again:
https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes."""


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIHARU_TOKEN", TOKEN)


@pytest.fixture
def taking(database: Path) -> Iterator[Monitor]:
    monitor = Monitor(Config.resolve(database, capture_content=True), watching=False)
    monitor.start()
    yield monitor
    assert monitor.stop(30)


def comes_again(answer: httpx.Response) -> bool:
    return answer.status_code in AGAIN and int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize("form", ["protobuf", "json"])
async def test_what_is_too_much_is_refused_and_stored_when_it_comes_again(
    taking: Monitor, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setattr(doors, "WAITING", 4)
    ingest = Ingest(lambda: taking, rate=Rate(per_second=1e-6, burst=15))
    left, seen = set(range(1, 31)), Counter[int]()

    async def send(asking: httpx.AsyncClient, number: int) -> None:
        message = request(span(number, CHAT | {"gen_ai.response.id": f"r{number}"}))
        content, headers = (encoded(message), PROTOBUF) if form == "protobuf" else (json.dumps(message), JSON)
        answer = await asking.post("/v1/traces", content=content, headers=headers)
        seen[answer.status_code] += 1
        if answer.status_code == 200:
            left.remove(number)
        else:
            assert comes_again(answer), answer.status_code

    async with client(app_of(ingest)) as asking, anyio.create_task_group() as group:
        for number in range(1, 31):
            group.start_soon(send, asking, number)
    calls, _ = await stored(taking)
    assert len(calls) == seen[200] == 30 - len(left)
    assert seen[429] > 0
    assert seen[503] > 0
    async with client(app_of(Ingest(lambda: taking))) as asking:
        for number in sorted(left):
            await send(asking, number)
    calls, _ = await stored(taking)
    assert sorted(call.response_id or "" for call in calls) == sorted(f"r{number}" for number in range(1, 31))
    assert taking.stats()["dropped"] == 0


@pytest.mark.parametrize(("path", "status"), [("/v1/traces", 503), ("/v1/logs", 503), ("/v1/miharu", 408)])
async def test_a_body_that_comes_too_slowly_may_be_sent_again(
    taking: Monitor, path: str, status: int
) -> None:
    """OTLP has no word for it but that of a server that is busy; another miharu knows the plain one."""
    answers: list[Any] = []

    async def never() -> Any:
        await anyio.sleep_forever()

    async def send(message: Any) -> None:
        answers.append(message)

    headers = [(b"authorization", BEARER["Authorization"].encode()), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": path, "headers": headers}
    await Ingest(lambda: taking, body_within_s=0.05).answer(scope, never, send, path)
    assert answers[0]["status"] == status
    assert status == 408 or (b"retry-after", b"1") in answers[0]["headers"]


async def test_messages_wait_until_their_span_is_stored(
    taking: Monitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A span that the store refuses comes again, and has its prompt then, too."""
    monkeypatch.setattr(run, "BACK_OFF_S", (60.0, 60.0))
    said = {"content": "How is the weather in Vienna?"}
    record = {
        "traceId": TRACE,
        "spanId": f"{1:016x}",
        "eventName": "gen_ai.user.message",
        "attributes": pairs(said),
        "body": value(said),
    }
    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
    await stored(taking)
    assert taking.flush(30)

    def refuse(_: Any) -> int:
        raise StoreError("The disk is full.")

    async with client(app_of(Ingest(lambda: taking))) as asking:
        assert (await asking.post("/v1/logs", json=logs)).status_code == 200
        with monkeypatch.context() as full:
            full.setattr(taking._recorder._run.pipeline.writer, "add", refuse)  # type: ignore[union-attr]
            assert comes_again(await asking.post("/v1/traces", json=request(span(1, CHAT))))
        assert taking.flush(30)
        assert (await asking.post("/v1/traces", json=request(span(1, CHAT)))).status_code == 200
    (found,), _ = await stored(taking)
    whole = await taking.read(lambda: taking.questions.call(found.id))
    assert whole is not None
    assert whole.body is not None
    assert b"Vienna" in (whole.body.request or b"")


async def test_a_batch_that_waited_too_long_is_not_held(
    taking: Monitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its sender has it; a store that hangs must not fill the memory with what comes again and again."""
    monkeypatch.setattr(recorder, "WATCH_S", 0.01)
    orders = taking._recorder.orders
    await stored(taking)
    assert taking.flush(30)
    leave = threading.Event()
    writer = taking._recorder._run.pipeline.writer  # type: ignore[union-attr]
    add = writer.add  # type: ignore[union-attr]

    def hang(batch: Any) -> int:
        leave.wait(30)
        return int(add(batch))

    monkeypatch.setattr(writer, "add", hang)
    monkeypatch.setattr("miharu.ingest.otlp.endpoint.STORED_WITHIN_S", 0.1)
    async with client(app_of(Ingest(lambda: taking))) as asking:
        for number in (1, 2, 3):
            assert comes_again(await asking.post("/v1/traces", json=request(span(number, CHAT))))
        assert [len(order.batch.calls) for order in orders.take_ins] == [0] * len(orders.take_ins)
        leave.set()
        monkeypatch.undo()
        monkeypatch.setenv("MIHARU_TOKEN", TOKEN)
        for number in (1, 2, 3):
            answer = await asking.post("/v1/traces", json=request(span(number, CHAT)))
            assert answer.status_code == 200
    assert len((await stored(taking))[0]) == 3
