"""What the door takes in, at each of its places, and what it refuses in which words."""

import json
import time
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import httpx
import msgspec
import pytest

import miharu
from miharu import monitor as monitors
from miharu.batch import Batch, Score, Span
from miharu.call import Call, Outcome, Usage, new_id
from miharu.conditions.language import Condition
from miharu.config import Config
from miharu.dashboard.access.throttle import Guesses
from miharu.errors import StoreError
from miharu.ingest import Ingest
from miharu.ingest import door as doors
from miharu.ingest.rate import Rate
from miharu.monitor import Monitor
from miharu.recorder import run
from miharu.server import create_app
from miharu.stores.base import Query
from miharu.stores.remote.sums import Asked
from miharu.wire.batches import MARK, pack, sent

TOKEN = "a-token-of-the-tests"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
NOW = int(time.time()) * 1000 - 3_600_000
"""An hour ago: old prompts and answers are deleted, and calls of the future refused."""
ALL = Query(start=0, end=1 << 42)

App = Callable[..., Any]


def call(**facts: Any) -> Call:
    made = Call(
        id=new_id(NOW),
        timestamp=NOW,
        api="openai.chat",
        outcome=Outcome(status="success"),
        model="gpt-4o",
        provider="openai",
        host="api.openai.com",
        usage=Usage(prompt_tokens=1000, completion_tokens=10, usage_source="provider"),
    )
    return replace(made, **facts)


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIHARU_TOKEN", TOKEN)


@pytest.fixture
def taking(database: Path) -> Iterator[Monitor]:
    monitor = Monitor(Config.resolve(database), watching=False)
    monitor.start()
    yield monitor
    assert monitor.stop(30)


def app_of(ingest: Ingest) -> App:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await ingest.answer(scope, receive, send, scope["path"])

    return app


def client(app: Any, **more: Any) -> httpx.AsyncClient:
    headers = more.pop("headers", BEARER)
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app, **more), base_url="http://miharu.test", headers=headers
    )


@pytest.fixture
async def sender(taking: Monitor) -> AsyncIterator[httpx.AsyncClient]:
    async with client(app_of(Ingest(lambda: taking))) as asking:
        yield asking


async def stored(monitor: Monitor) -> list[Call]:
    return list(await monitor.read(lambda: monitor.questions.calls(ALL, limit=500)))


async def test_a_batch_is_stored_when_it_is_answered(sender: httpx.AsyncClient, taking: Monitor) -> None:
    answer = await sender.post("/v1/miharu", content=sent(Batch(calls=[call(), call()])))
    assert (answer.status_code, answer.json()) == (200, {"calls": 2, "spans": 0, "scores": 0})
    assert answer.headers["miharu-form"] == "1"
    found = await stored(taking)
    assert [one.cost is not None for one in found] == [True, True]


async def test_a_repeated_batch_is_no_second_row(sender: httpx.AsyncClient, taking: Monitor) -> None:
    batch = sent(Batch(calls=[call()]))
    for _ in range(3):
        assert (await sender.post("/v1/miharu", content=batch)).status_code == 200
    assert len(await stored(taking)) == 1


async def test_the_end_of_a_call_completes_it_once(sender: httpx.AsyncClient, taking: Monitor) -> None:
    opened = call(response_id="resp_1", usage=Usage())
    end = call(response_id="resp_1", completes=True)
    for batch in (Batch(calls=[opened]), Batch(calls=[end]), Batch(calls=[end])):
        assert (await sender.post("/v1/miharu", content=sent(batch))).status_code == 200
    (found,) = await stored(taking)
    assert (found.id, found.usage.prompt_tokens) == (opened.id, 1000)


async def test_a_bad_batch_is_refused_whole(sender: httpx.AsyncClient, taking: Monitor) -> None:
    bad = MARK + b"1\n" + zlib.compress(pack(Batch(calls=[call(), call(timestamp=-1)])))
    answer = await sender.post("/v1/miharu", content=bad)
    assert answer.status_code == 400
    assert "happened at no time" in answer.json()["error"]
    answer = await sender.post("/v1/miharu", content=MARK + b"7\n")
    assert answer.status_code == 415
    assert "version 7" in answer.json()["error"]
    answer = await sender.post("/v1/miharu", content=MARK + b"1\n" + zlib.compress(bytes(21 << 20)))
    assert answer.status_code == 413
    assert await stored(taking) == []


@pytest.mark.parametrize(
    "when",
    [0, NOW - 20 * 31_557_600_000, NOW + 200 * 31_557_600_000],
    ids=["never", "twenty years ago", "in two hundred years"],
)
@pytest.mark.parametrize("kind", ["calls", "spans", "scores"])
async def test_what_is_of_another_time_is_refused(
    sender: httpx.AsyncClient, taking: Monitor, kind: str, when: int
) -> None:
    """Of a clock that is wrong, or of a holder of the token who dates calls: sums go by it."""
    of: dict[str, Any] = {
        "calls": call(timestamp=when),
        "spans": Span(
            id="1" * 16, trace_id="2" * 32, name="step", timestamp=when, duration_ms=1, status="success"
        ),
        "scores": Score(id=new_id(NOW), timestamp=when, name="thumb", value=1, trace_id="2" * 32),
    }
    batch = replace(Batch(calls=[call()]), **{kind: [of[kind]]})
    answer = await sender.post("/v1/miharu", content=sent(batch))
    assert answer.status_code == 400
    assert "from before 2015, or more than a day ahead; set the clock" in answer.json()["error"]
    assert await stored(taking) == []


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}]
)
async def test_without_the_token_nothing_is_taken(taking: Monitor, headers: dict[str, str]) -> None:
    async with client(app_of(Ingest(lambda: taking)), headers=headers) as asking:
        for path in doors.PATHS:
            answer = await asking.post(path, content=sent(Batch(calls=[call()])))
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        link = await asking.post(f"/v1/miharu?token={TOKEN}", content=sent(Batch(calls=[call()])))
        assert link.status_code == 401
    assert await stored(taking) == []


async def test_a_token_is_not_found_by_trying(taking: Monitor) -> None:
    ingest = Ingest(lambda: taking, guesses=Guesses(clock=lambda: 0.0))
    async with client(app_of(ingest), headers={}) as asking:
        for n in range(10):
            wrong = await asking.post("/v1/miharu", headers={"Authorization": f"Bearer {n}"})
            assert wrong.status_code == 401
        assert (await asking.post("/v1/miharu", headers=BEARER)).status_code == 429


async def test_the_token_that_was_made_opens_it_too(taking: Monitor, monkeypatch: pytest.MonkeyPatch) -> None:
    from miharu.dashboard.access.secret import token_for

    monkeypatch.delenv("MIHARU_TOKEN")
    made = token_for(taking.config.database)
    async with client(app_of(Ingest(lambda: taking)), headers={"Authorization": f"Bearer {made}"}) as asking:
        assert (await asking.post("/v1/miharu", content=sent(Batch()))).status_code == 200


async def test_one_address_sends_only_so_often(taking: Monitor) -> None:
    ingest = Ingest(lambda: taking, rate=Rate(per_second=1, burst=2, clock=lambda: 0.0))
    async with client(app_of(ingest)) as asking:
        answers = [await asking.post("/v1/miharu", content=sent(Batch())) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].headers["retry-after"] == "1"
    async with client(app_of(ingest), client=("192.0.2.9", 1)) as another:
        assert (await another.post("/v1/miharu", content=sent(Batch()))).status_code == 200


async def test_only_post_is_taken(sender: httpx.AsyncClient) -> None:
    answer = await sender.get("/v1/miharu")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_a_body_may_be_only_so_large(taking: Monitor, monkeypatch: pytest.MonkeyPatch) -> None:
    ingest = Ingest(lambda: taking)
    monkeypatch.setattr(ingest._endpoints["/v1/miharu"], "largest", 1000)

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield bytes(100)

    async with client(app_of(ingest)) as asking:
        assert (await asking.post("/v1/miharu", content=bytes(1001))).status_code == 413
        assert (await asking.post("/v1/miharu", content=endless())).status_code == 413
        lying = {"Content-Length": "9" * 5000}
        assert (await asking.post("/v1/miharu", content=b"", headers=lying)).status_code == 413


async def test_a_body_that_does_not_come_is_not_waited_for(taking: Monitor) -> None:
    sent_back: list[Any] = []

    async def never() -> Any:
        await anyio.sleep_forever()

    async def send(message: Any) -> None:
        sent_back.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/miharu",
        "headers": [(b"authorization", BEARER["Authorization"].encode())],
    }
    await Ingest(lambda: taking, body_within_s=0.05).answer(scope, never, send, "/v1/miharu")
    assert sent_back[0]["status"] == 408


async def test_only_so_much_waits(taking: Monitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "WAITING", 1)
    ingest = Ingest(lambda: taking)
    inside, leave = anyio.Event(), anyio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        inside.set()
        await leave.wait()
        yield sent(Batch())

    async with client(app_of(ingest)) as asking, anyio.create_task_group() as group:
        group.start_soon(lambda: asking.post("/v1/miharu", content=slowly()))
        await inside.wait()
        busy = await asking.post("/v1/miharu", content=sent(Batch()))
        assert (busy.status_code, busy.headers["retry-after"]) == (503, "1")
        leave.set()


async def test_a_store_that_refuses_is_said_and_takes_nothing(
    taking: Monitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "BACK_OFF_S", (60.0, 60.0))  # in which nothing waits for the next attempt
    await stored(taking)
    assert taking.flush(30)

    def refuse(batch: Batch) -> int:
        raise StoreError("The disk is full.")

    pipeline = taking._recorder._run.pipeline  # type: ignore[union-attr]
    monkeypatch.setattr(pipeline.writer, "add", refuse)
    async with client(app_of(Ingest(lambda: taking))) as asking:
        for _ in range(2):
            answer = await asking.post("/v1/miharu", content=sent(Batch(calls=[call()])))
            assert (answer.status_code, answer.json()["error"]) == (503, "The disk is full.")
        assert taking.stats()["spooled"] == 0
        monkeypatch.undo()
        assert taking.flush(30)
        monkeypatch.setenv("MIHARU_TOKEN", TOKEN)
        assert (await asking.post("/v1/miharu", content=sent(Batch(calls=[call()])))).status_code == 200
    assert len(await stored(taking)) == 1


async def test_a_monitor_that_only_reads_takes_nothing(database: Path) -> None:
    monitor = Monitor(Config.resolve(database), read_only=True)
    async with client(app_of(Ingest(lambda: monitor))) as asking:
        answer = await asking.post("/v1/miharu", content=sent(Batch(calls=[call()])))
    assert (answer.status_code, answer.json()["error"]) == (
        503,
        "This miharu only reads the calls of others.",
    )


async def test_a_program_without_init_takes_nothing() -> None:
    async with client(miharu.asgi(ingest=True)) as asking:
        assert (await asking.post("/v1/miharu", content=sent(Batch()))).status_code == 503


async def test_a_mistake_of_ours_is_an_answer(taking: Monitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MIHARU_UNGUARDED")
    ingest = Ingest(lambda: taking)
    endpoint = ingest._endpoints["/v1/miharu"]
    monkeypatch.setattr(endpoint, "take", lambda *_: 1 / 0)
    async with client(app_of(ingest)) as asking:
        assert (await asking.post("/v1/miharu", content=sent(Batch()))).status_code == 500


async def test_sums_are_answered_and_nothing_else_is(sender: httpx.AsyncClient, taking: Monitor) -> None:
    await sender.post("/v1/miharu", content=sent(Batch(calls=[call(user_id="ada")])))

    async def ask(**facts: Any) -> Any:
        answer = await sender.post("/v1/miharu/sums", content=msgspec.json.encode(Asked(**facts)))
        assert answer.status_code == 200
        return answer.json()

    assert await ask(question="revision") > 0
    assert (await ask(question="totals", query=ALL))["calls"] == 1
    (group,) = await ask(question="groups", query=ALL, by="user_id")
    assert (group["key"], group["totals"]["prompt_tokens"]) == ("ada", 1000)
    (point,) = await ask(question="series", query=ALL, by="user_id", step_ms=1 << 50)
    assert (point["key"], point["totals"]["calls"]) == ("ada", 1)
    of_ada = Condition(field="user_id", operator="in", values=("ada", "bob"))
    dear = Condition(field="cost_nanousd", operator=">", values=(10**12,))
    assert (await ask(question="totals", narrowed=replace(ALL, conditions=(of_ada,))))["calls"] == 1
    assert (await ask(question="totals", narrowed=replace(ALL, conditions=(of_ada, dear))))["calls"] == 0
    sql = {"field": "1 OR 1", "operator": "any"}
    for wrong in (
        {"question": "totals", "narrowed": {"start": 0, "end": 1, "conditions": [sql]}},
        {"question": "totals", "narrowed": {"start": 0, "end": 1, "words": ["refund"], "said_by": "all"}},
        {"question": "calls"},
        {"question": "totals"},
        {"question": "groups", "query": {"start": 0, "end": 1}},
    ):
        answer = await sender.post("/v1/miharu/sums", content=json.dumps(wrong))
        assert answer.status_code == 400
        assert "not understood" in answer.json()["error"]


async def test_a_mounted_dashboard_takes_calls_where_it_was_asked_to(database: Path) -> None:
    miharu.init(database)
    async with client(miharu.asgi(ingest=True), root_path="/miharu") as asking:
        answer = await asking.post("/miharu/v1/miharu", content=sent(Batch(calls=[call()])))
        assert answer.status_code == 200
    async with client(miharu.asgi(), root_path="/miharu") as asking:
        answer = await asking.post("/miharu/v1/miharu", content=sent(Batch(calls=[call()])))
        assert answer.status_code == 405
    monitor = monitors.current()
    assert monitor is not None
    assert len(await stored(monitor)) == 1


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_the_server_takes_calls_where_it_was_asked_to(taking: Monitor) -> None:
    async with client(create_app(taking, ingest=True)) as asking:
        answer = await asking.post("/v1/miharu", content=sent(Batch(calls=[call()])))
        assert (answer.status_code, answer.json()["calls"]) == (200, 1)
        assert (await asking.get("/")).status_code == 200
    async with client(create_app(taking)) as asking:
        assert (await asking.post("/v1/miharu", content=sent(Batch(calls=[call()])))).status_code == 405
    assert len(await stored(taking)) == 1
