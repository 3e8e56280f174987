"""A response in the background is one span with its final figures, however often it is fetched."""

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

import miharu
from miharu.call import Body, Call, Outcome, Usage
from miharu.exporters.otlp import background as module
from miharu.exporters.otlp.background import Background
from miharu.testing.store_contract import make_call
from tests.calls import rows
from tests.exporters.otlp.receiver import Receiver, attributes

URL = "https://api.openai.com/v1/responses"
USED = {"input_tokens": 20, "output_tokens": 7, "total_tokens": 27}


def respond(status: str, *, fetch: bool = True, usage: Any = None) -> None:
    answer = {
        "id": "resp_1",
        "object": "response",
        "background": True,
        "status": status,
        "model": "gpt-4o-2024-08-06",
        "created_at": int(time.time()),
        "output": [],
        "usage": usage,
    }
    content = json.dumps(answer).encode()
    with httpx2.Client(transport=httpx2.MockTransport(lambda _: httpx2.Response(200, content=content))) as to:
        if fetch:
            to.get(f"{URL}/resp_1")
        else:
            to.post(URL, json={"model": "gpt-4o", "background": True, "input": "hi"})


def counted(receiver: Receiver, name: str) -> int:
    return sum(point.count for point in receiver.metrics[name].histogram.data_points)


def test_it_is_one_span_with_its_final_figures(receiver: Receiver, database: Path) -> None:
    miharu.init(database, exporters=["otlp"])
    with miharu.context(user="ada", route="POST /ask"):
        respond("queued", fetch=False)
    assert miharu.flush(20)
    assert not receiver.spans
    respond("in_progress")
    for _ in range(3):
        respond("completed", usage=USED)
        assert miharu.flush(20)
    [span] = receiver.spans
    [row] = rows(database)
    said = attributes(span)
    assert (said["miharu.call.id"], span.span_id.hex()) == (row["id"], row["span_id"])
    assert (said["gen_ai.usage.input_tokens"], said["gen_ai.usage.output_tokens"]) == (20, 7)
    assert said["miharu.cost.usd"] == row["cost_nanousd"] / 1e9
    assert said["gen_ai.response.finish_reasons"] == ["completed"]
    assert (said["user.id"], said["miharu.route"]) == ("ada", "POST /ask")
    assert span.end_time_unix_nano - span.start_time_unix_nano == row["duration_ms"] * 1_000_000
    assert counted(receiver, "gen_ai.client.operation.duration") == 1
    assert counted(receiver, "gen_ai.client.inference.operation.input_tokens") == 1


def test_one_whose_end_is_not_seen_is_sent_at_the_end_of_the_program(
    receiver: Receiver, database: Path
) -> None:
    miharu.init(database, exporters=["otlp"])
    respond("queued", fetch=False)
    assert miharu.shutdown(20)
    [span] = receiver.spans
    said = attributes(span)
    assert said["gen_ai.response.finish_reasons"] == ["queued"]
    assert not [name for name in said if "usage.input" in name or "cost" in name]
    assert not receiver.at("/v1/metrics")


def opened(number: int = 1, **facts: Any) -> Call:
    given: dict[str, Any] = {"usage": Usage(), "cost": None, "finish_reason": "queued"}
    return make_call(response_id=f"r{number}", **(given | facts))


def end_of(call: Call, **facts: Any) -> Call:
    return make_call(response_id=call.response_id, completes=True, finish_reason="completed", **facts)


def ids(calls: Sequence[Call]) -> list[str | None]:
    return [call.response_id for call in calls]


def test_of_a_failure_it_says_why() -> None:
    kept, call = Background(), opened()
    assert kept.settled(call) is None
    failed = Outcome(status="error", error_type="server_error")
    end = end_of(call, outcome=failed, usage=Usage(), cost=None)
    assert kept.settled(end) == replace(
        call, outcome=failed, finish_reason="completed", duration_ms=end.duration_ms
    )


def test_an_end_without_a_beginning_is_sent_once() -> None:
    kept, call = Background(), opened()
    end = end_of(call)
    assert kept.settled(end) is end
    assert kept.settled(end_of(call)) is None
    assert kept.settled(call) is None  # it comes too late


def test_what_was_billed_at_first_stays_as_the_store_has_it() -> None:
    kept, call = Background(), opened(usage=Usage(prompt_tokens=1, usage_source="provider"))
    assert kept.settled(call) is None
    assert kept.settled(end_of(call)) == call


def test_a_prompt_stays_beside_its_answer() -> None:
    kept, call = Background(), opened(body=Body(request=b"asked", response=b"queued"))
    assert kept.settled(call) is None
    found = kept.settled(end_of(call, body=Body(request=None, response=b"answered")))
    assert found is not None
    assert found.body == Body(request=b"asked", response=b"answered")


@pytest.mark.parametrize("facts", [{"finish_reason": "stop"}, {"outcome": Outcome(status="error")}])
def test_all_others_are_sent_at_once(facts: dict[str, Any]) -> None:
    call = opened(**facts)
    assert Background().settled(call) is call


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    monkeypatch.setattr(module, "MOST_CONTENT", 10)
    now = [0.0]
    kept = Background(lambda: now[0])
    for number in range(5):
        assert kept.settled(opened(number, body=Body(request=b"12345678", response=None))) is None
    first = [*kept.left()]
    assert (ids(first), [call.body is not None for call in first]) == (["r0", "r1"], [True, False])
    now[0] = module.LONGEST_S - 1
    assert kept.settled(opened(9, body=Body(request=b"12345678", response=None))) is None
    now[0] += 1
    assert ids([*kept.left()]) == ["r2", "r3", "r4"]
    (last,) = kept.left(all_of_them=True)
    assert (last.response_id, last.body is not None) == ("r9", True)
    for number in range(5):
        assert kept.settled(end_of(opened(number))) is not None
    assert kept.settled(end_of(opened(4))) is None
    assert kept.settled(end_of(opened(0))) is not None
