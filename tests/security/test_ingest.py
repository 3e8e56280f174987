"""What a program that has the token may send: nonsense is refused or left out, and nothing secret is kept."""

import json
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from sqlite3 import connect
from typing import Any

import httpx
import pytest

from miharu.batch import Batch, Score, Span
from miharu.call import Body, Call, Cost, Outcome, Usage
from miharu.config import Config
from miharu.ingest.clean import clean
from miharu.ingest.otlp import memory
from miharu.ingest.otlp.memory import Memory
from miharu.ingest.otlp.records import LogRecord
from miharu.monitor import Monitor
from miharu.recorder.reading.redactor import Redactor
from miharu.redaction.values import forget, remember
from miharu.server import create_app
from miharu.wire.batches import MARK, pack, sent
from tests.otlp.test_taking import CHAT, JSON, request, span
from tests.remote.test_door import ALL, NOW, TOKEN, call, client

KEY = "sk-proj-AAAABBBBCCCCDDDDEEEE1234FFFF5678"
SECRETS = (KEY, "hunter2hunter2", "pw12345678")


@pytest.fixture
def anyio_backend() -> str:
    """The server's loop."""
    return "asyncio"


@pytest.fixture
def taking(database: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Monitor]:
    monkeypatch.setenv("MIHARU_TOKEN", TOKEN)
    monitor = Monitor(Config.resolve(database, capture_content=True), watching=False)
    monitor.start()
    yield monitor
    assert monitor.stop(30)


@pytest.fixture
async def sender(taking: Monitor) -> AsyncIterator[httpx.AsyncClient]:
    async with client(create_app(taking, ingest=True)) as asking:
        yield asking


async def calls(monitor: Monitor) -> list[Call]:
    return list(await monitor.read(lambda: monitor.questions.calls(ALL, limit=500)))


def chat(facts: dict[str, Any], number: int = 1, **more: Any) -> str:
    return json.dumps(request(span(number, {**CHAT, **facts}, **more)))


TOKENS = '"intValue": "1000"'
START = f'"startTimeUnixNano": "{NOW * 1_000_000 + 1_000_000}"'
REFUSED = {
    "begins at infinity": (START, '"startTimeUnixNano": Infinity'),
    "infinite tokens": (TOKENS, '"intValue": 1e999'),
    "more digits than are read": (TOKENS, f'"intValue": {"9" * 5000}'),
    "two kinds of value": (TOKENS, f'{TOKENS}, "boolValue": true'),
    "id with a prefix": ('"parentSpanId": ""', '"parentSpanId": "0x11111111111111"'),
    "id with signs": ('"parentSpanId": ""', '"parentSpanId": "1_1_1_1_1_1_1_11"'),
    "an endless id": ('"parentSpanId": ""', f'"parentSpanId": "{"1" * 1_000_000}"'),
    "nesting": (TOKENS, f'"arrayValue": {"[" * 100_000}'),
}


@pytest.mark.parametrize("attack", REFUSED)
async def test_spans_that_are_nonsense_are_refused(
    sender: httpx.AsyncClient, taking: Monitor, attack: str
) -> None:
    whole, wrong = REFUSED[attack]
    message = chat({})
    assert whole in message
    answer = await sender.post("/v1/traces", content=message.replace(whole, wrong), headers=JSON)
    assert answer.status_code == 400
    assert await calls(taking) == []


LEFT_OUT: dict[str, dict[str, Any]] = {
    "more tokens than a float has": {"gen_ai.usage.input_tokens": "1" + "0" * 400},
    "negative tokens": {"gen_ai.usage.input_tokens": -5},
    "tokens of 2**63": {"gen_ai.usage.input_tokens": 2**63},
    "tokens in ten thousand digits": {"gen_ai.usage.input_tokens": "1" * 10_000},
    "a cost beyond floats": {"langfuse.observation.cost_details": f'{{"a": {"9" * 4000}, "b": 1.5}}'},
    "a cost in too many digits": {
        "langfuse.observation.cost_details": f'{{"a": {"9" * 4300}, "b": {"9" * 4300}}}'
    },
    "a cost that is no number": {"gen_ai.usage.cost": "sNaN"},
    "a tiny cost": {"gen_ai.usage.cost": "1e-99999999"},
    "a first token in another age": {
        "langfuse.observation.completion_start_time": "0001-01-01T00:00:00+00:00"
    },
    "deep messages": {"gen_ai.input.messages": "[" * 3000 + "]" * 3000},
    "half a character": {"user.id": "\ud800", "gen_ai.input.messages": "\ud800"},
}


@pytest.mark.parametrize("attack", LEFT_OUT)
async def test_figures_that_cannot_be_are_left_out(
    sender: httpx.AsyncClient, taking: Monitor, attack: str
) -> None:
    answer = await sender.post("/v1/traces", content=chat(LEFT_OUT[attack]), headers=JSON)
    assert (answer.status_code, answer.text) == (200, "{}")
    (found,) = await calls(taking)
    assert found.usage.prompt_tokens in {None, 1000}
    assert found.cost is None or 0 <= found.cost.cost_nanousd < 10**9
    assert found.ttft_ms is None or found.ttft_ms >= 0
    assert (await sender.get("/calls?range=all")).status_code == 200


async def test_a_record_of_a_stream_lasts_no_longer_than_time(
    sender: httpx.AsyncClient, taking: Monitor
) -> None:
    record = {"logfire.span_type": "log", "duration": 80_000.5}
    early = {"startTimeUnixNano": "5000000", "endTimeUnixNano": "6000000"}
    endless = chat(record).replace("80000.5", "NaN")
    assert (await sender.post("/v1/traces", content=endless, headers=JSON)).json() == {}
    refused = (await sender.post("/v1/traces", content=chat(record, 2, **early), headers=JSON)).json()
    assert refused["partialSuccess"]["rejectedSpans"] == "1"
    found = {one.span_id: one for one in await calls(taking)}
    assert {span: call.timestamp for span, call in found.items()} == {f"{1:016x}": NOW + 1}


@pytest.mark.parametrize("parent", ["own", "zero"])
async def test_a_call_within_itself_is_a_call(
    sender: httpx.AsyncClient, taking: Monitor, parent: str
) -> None:
    message = chat({}, 6, parentSpanId=f"{6 if parent == 'own' else 0:016x}")
    assert (await sender.post("/v1/traces", content=message, headers=JSON)).status_code == 200
    (found,) = await calls(taking)
    assert found.parent_id is None


async def test_spans_within_each_other_are_shown(sender: httpx.AsyncClient, taking: Monitor) -> None:
    circle = request(span(7, CHAT, parent=8), span(8, {"gen_ai.operation.name": "invoke_agent"}, parent=7))
    assert (await sender.post("/v1/traces", content=json.dumps(circle), headers=JSON)).status_code == 200
    (found,) = await calls(taking)
    assert (await sender.get(f"/calls?range=all&sel={found.id}")).status_code == 200


async def test_no_credential_of_a_sender_is_kept(
    sender: httpx.AsyncClient, taking: Monitor, database: Path
) -> None:
    url = f"https://user:pw12345678@api.test/v1?key={KEY}"
    header = {
        "http.request.header.authorization": [f"Bearer {KEY}"],
        "x": {"authorization": "hunter2hunter2"},
    }
    event = {"name": "gen_ai.choice", "attributes": [*span(1, header)["attributes"]]}
    failed = {"code": 2, "message": f"POST {url} was refused"}
    spans = request(
        span(1, {**CHAT, "server.address": url, **header}, status=failed, events=[event]),
        span(2, {**CHAT, "gen_ai.provider.name": KEY, "user.id": KEY, "session.id": KEY}),
        span(3, {"gen_ai.operation.name": KEY, "miharu.tag.password": "hunter2hunter2"}, status=failed),
    )
    assert (await sender.post("/v1/traces", content=json.dumps(spans), headers=JSON)).status_code == 200
    outcome = Outcome(status="error", error_message=f"POST {url} was refused", error_type=KEY)
    body = Body(request=b'{"api_key": "hunter2hunter2"}', response=KEY.encode())
    odd = call(
        outcome=outcome, host=url, provider=KEY, api=KEY, call_group=KEY, tags={"password": "hunter2hunter2"}
    )
    batch = Batch(
        calls=[replace(odd, body=body, cost=Cost(cost_nanousd=1, cost_source="own"))],
        spans=[Span(id="b", trace_id="t", name=KEY, timestamp=NOW, duration_ms=1, status="success")],
        scores=[Score(id="c", timestamp=NOW, name="good", value=1.0, comment=url)],
    )
    assert (await sender.post("/v1/miharu", content=sent(batch))).status_code == 200
    assert taking.flush(30)
    with closing(connect(database)) as connection:
        rows = [
            *connection.execute("SELECT * FROM llm_calls"),
            *connection.execute("SELECT * FROM llm_spans"),
            *connection.execute("SELECT * FROM llm_scores"),
        ]
        bodies = connection.execute("SELECT request, response FROM llm_bodies").fetchall()
    assert len(rows) == 6
    assert bodies
    found = [str(row) for row in rows]
    found += [
        str(await taking.read(lambda id=one.id: taking.questions.call(id)))  # type: ignore[misc]
        for one in await calls(taking)
    ]
    assert [secret for secret in SECRETS for text in found if secret in text.lower() or secret in text] == []


HEX = "5b8efff798038103d269b633813fc60c"


@pytest.mark.parametrize(
    ("field", "text", "is_kept"),
    [
        ("trace_id", HEX, True),
        ("call_group", "018f4e2a-0000-7abc-8def-0123456789ab", True),
        ("call_group", f"fc-{HEX}", False),
        ("body_hash", f"{HEX}\nAuthorization: Bearer {KEY}", False),
        ("prompt_hash", f"token=hunter2hunter2{'x' * 200}", False),
    ],
)
def test_an_id_is_kept_and_a_credential_in_its_place_is_not(field: str, text: str, *, is_kept: bool) -> None:
    for _ in range(2):
        (found,) = clean(Batch(calls=[call(**{field: text})]), Redactor()).calls
        kept: str = getattr(found, field)
        assert (kept == text) == is_kept
        assert is_kept or "[redacted]" in kept


@pytest.mark.parametrize("text", [HEX, HEX.encode().hex(), f"{'0' * 24}{HEX[:8]}"])
def test_a_known_credential_is_found_in_an_id(text: str) -> None:
    def kept() -> str | None:
        return clean(Batch(calls=[call(trace_id=text)]), Redactor()).calls[0].trace_id

    assert kept() == text
    remember([HEX])
    try:
        assert "[redacted]" in (kept() or "")
    finally:
        forget()


WIRE = {
    "an extension": b"\x81\xa5calls\xc7\x08\x05abcdefgh",
    "four billion calls": b"\x81\xa5calls\xdd\xff\xff\xff\xff",
    "four billion fields": b"\xdf\xff\xff\xff\xff",
    "a field of four billion": b"\x81\xa5other\xdd\xff\xff\xff\xff",
    "a text of four gigabytes": b"\x81\xdb\xff\xff\xff\xffabc",
    "nesting": b"\x81\xa5other" + b"\x91" * 5_000_000 + b"\xc0",
    "no UTF-8": pack(Batch(calls=[call(model="MMMM")])).replace(b"MMMM", b"\xff\xfe\xfd\xfc"),
    "a list": b"\x90",
    "an id that is a path": pack(Batch(calls=[call(id="../../etc/passwd")])),
    "an id that is markup": pack(Batch(calls=[call(id="<script>")])),
    "an id with a line": pack(Batch(calls=[call(id="a\nb\0")])),
    "no id": pack(Batch(calls=[call(id="")])),
    "an endless id": pack(Batch(scores=[Score(id="x" * 1_000_000, timestamp=NOW, name="n", value=1)])),
    "not a number": pack(Batch(scores=[Score(id="x", timestamp=NOW, name="n", value=float("nan"))])),
    "in the year 9999": pack(Batch(calls=[call(timestamp=253_402_300_799_000)])),
    "before time": pack(Batch(calls=[call(duration_ms=-1)])),
}


@pytest.mark.parametrize("attack", WIRE)
async def test_batches_that_are_nonsense_are_refused(
    sender: httpx.AsyncClient, taking: Monitor, attack: str
) -> None:
    content = MARK + b"1\n" + zlib.compress(WIRE[attack])
    answer = await sender.post("/v1/miharu", content=content)
    assert answer.status_code == 400
    assert taking.stats()["errors"] == 0


async def test_a_call_at_every_bound_is_shown(sender: httpx.AsyncClient, taking: Monitor) -> None:
    outcome = Outcome(
        status="error", http_status=2**64 - 1, error_message="x" * 10**7, error_type="e" * 10**5
    )
    usage = Usage(prompt_tokens=2**63, completion_tokens=-5, usage_source="provider", usage_raw="{" * 10**6)
    odd = call(
        attempt=2**64 - 1,
        outcome=outcome,
        usage=usage,
        cost=Cost(cost_nanousd=2**63, cost_source="c" * 10**5),
        tags={"u" * 10**5: "v" * 10**5},
        user_id="u" * 10**6,
        body=Body(request=b"x" * 6_000_000, response=b"\xff\xfe" * 10**6),
    )
    answer = await sender.post("/v1/miharu", content=sent(Batch(calls=[odd])))
    assert answer.status_code == 200
    (found,) = await calls(taking)
    assert (found.attempt, found.outcome.http_status, found.usage.prompt_tokens) == (None, None, None)
    assert found.cost is None
    kept = await taking.read(lambda: taking.questions.call(found.id))
    assert kept is not None
    assert kept.body is not None
    assert len(kept.body.request or b"") <= 4 << 20
    assert len(str(replace(kept, body=None))) < 60_000
    for path in ("/", "/calls?range=all", "/models?range=all", "/errors?range=all", "/metrics"):
        assert (await sender.get(path)).status_code == 200


@pytest.mark.parametrize(
    "asked",
    [
        '{"question": "totals", "query": {"start": 0, "end": 9223372036854775808}}',
        '{"question": "totals", "query": {"start": -9223372036854775808, "end": 1}}',
        '{"question": "groups", "query": {"start": 0, "end": 1}, "by": "user_id", "limit": 5000000}',
        '{"question": "groups", "query": {"start": 0, "end": 1}, "by": "model", "limit": -1}',
        '{"question": "series", "query": {"start": 0, "end": 1}, "step_ms": 9223372036854775808}',
        f'{{"question": "series", "query": {{"start": 0, "end": 1}}, "step_ms": 9, "offset_ms": {1 << 63}}}',
        '{"question": "groups", "query": {"start": 0, "end": 1}, "by": "x); DROP TABLE llm_calls; --"}',
        '{"question": "totals", "query": ' + "[" * 60_000,
    ],
)
async def test_impossible_questions_are_refused(sender: httpx.AsyncClient, asked: str) -> None:
    answer = await sender.post("/v1/miharu/sums", content=asked)
    assert answer.status_code == 400
    assert "not understood" in answer.json()["error"]


def test_what_waits_for_its_span_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "EVENT_CHARACTERS", 10_000)
    kept = Memory()
    for number in range(100):
        body = {"content": ["x" * 1000]}
        kept.keep_events(
            [LogRecord(trace_id="t", span_id=str(number), name="gen_ai.choice", attributes={}, body=body)]
        )
    waiting = [number for number in range(100) if kept.events_of(("t", str(number)))]
    assert waiting[-1] == 99
    assert len(waiting) < 10
    kept.forget_events([("t", str(number)) for number in range(100)])
    assert kept._characters == 0


def test_a_response_is_remembered_by_a_short_name() -> None:
    kept = Memory()
    ids = ["r" * 10**6 + "a", "r" * 10**6 + "b"]
    assert [kept.owner_of(one, (one, "1")) for one in ids] == [(one, "1") for one in ids]
    assert kept.owner_of(ids[0], ("t", "2")) == (ids[0], "1")
    assert max(map(len, kept._responses)) < 500


async def test_metrics_keep_their_lines(sender: httpx.AsyncClient) -> None:
    forged = 'm"} 1\n# HELP forged x\nforged{a="\\'
    odd = call(model=forged, request_model=forged, service=forged, route=forged, provider=forged)
    assert (await sender.post("/v1/miharu", content=sent(Batch(calls=[odd])))).status_code == 200
    answer = await sender.get("/metrics")
    assert answer.status_code == 200
    assert 'm\\"} 1\\n# HELP forged' in answer.text
    assert [line for line in answer.text.splitlines() if line.startswith(("forged", "# HELP forged"))] == []
