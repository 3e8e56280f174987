"""Which calls are cut out of a session, and what is kept of each."""

import asyncio
import json
from collections.abc import Callable, Iterator

import aiohttp
import pytest
from websockets.asyncio.client import connect as aconnect
from websockets.sync.client import connect

import miharu
from miharu.attribution.resolve import attribution_of_exchange
from miharu.exchange import Exchange
from miharu.interceptor import Interceptor, handoff
from miharu.interceptor.sockets.session import Session
from miharu.providers.turns import GEMINI_LIVE, OPENAI_REALTIME, OPENAI_RESPONSES, XAI_VOICE

from .server import Serving
from .sync_world import ASK
from .talk import create, created, delta, done, said, session

KNOWN = said("session.created", session={"id": "sess_1", "model": "gpt-realtime"})
CHANGED = said("session.updated", session={"id": "sess_1", "model": "gpt-realtime", "voice": "ash"})


@pytest.fixture(autouse=True)
def installed(interceptor: Interceptor) -> Iterator[None]:
    interceptor.install()
    yield
    assert not handoff.running(), "a call is left under way"


class RefusedError(Exception):
    pass


def _kinds(exchange: Exchange) -> list[str]:
    """The types of the messages that were kept; of one that was cut, that it was."""
    kinds = []
    for chunk in exchange.chunks:
        try:
            kinds.append(json.loads(chunk)["type"])
        except ValueError:
            kinds.append("cut")
    return kinds


def _lines(exchange: Exchange) -> list[bytes]:
    return [chunk.removesuffix(b"\n") for chunk in exchange.chunks]


def _receive(it: Session, *messages: bytes) -> None:
    for message in messages:
        it.received(message)


def test_each_response_is_a_call_with_the_little_that_tells_of_it(exchanges: list[Exchange]) -> None:
    it = session(OPENAI_REALTIME)
    _receive(it, KNOWN, CHANGED)
    for name in ("resp_1", "resp_2"):
        it.sent(said("input_audio_buffer.append", audio="A" * 9000))
        it.sent(create())
        _receive(it, created(name), *[delta(name)] * 40, done(name))
    assert [exchange.end for exchange in exchanges] == ["eof", "eof"]
    for exchange in exchanges:
        assert _kinds(exchange) == [
            "response.created",
            "cut",
            "response.done",
            "session.created",
            "session.updated",
        ]
        assert (exchange.request().body, exchange.request().method) == (create(), "WEBSOCKET")


def test_sound_is_never_kept(exchanges: list[Exchange]) -> None:
    it = session(OPENAI_REALTIME)
    it.sent(create())
    _receive(it, created("resp_1"), *[delta("resp_1", 60_000)] * 40, done("resp_1"))
    assert sum(map(len, exchanges[0].chunks)) < 2000


def test_a_call_begins_when_the_user_has_ended(exchanges: list[Exchange]) -> None:
    it = session(OPENAI_REALTIME)
    it.received(said("input_audio_buffer.speech_stopped", audio_end_ms=5))
    heard = it._waits_since
    _receive(it, created("resp_1"), done("resp_1"))
    assert heard is not None
    assert exchanges[0].started == heard[0]
    _receive(it, created("resp_2"), done("resp_2"))
    assert exchanges[1].started > heard[0], "nobody has spoken since"


def test_a_call_begins_when_it_is_asked_for(exchanges: list[Exchange]) -> None:
    it = session(OPENAI_REALTIME)
    it.sent(create())
    (asked,) = handoff.running()
    _receive(it, created("resp_1"), done("resp_1"))
    assert exchanges == [asked]


def test_responses_at_the_same_time_are_told_apart(exchanges: list[Exchange]) -> None:
    it = session(OPENAI_REALTIME)
    it.sent(create(response={"conversation": "none"}))
    it.sent(create())
    _receive(it, created("resp_1"), created("resp_2"), delta("resp_2"), done("resp_2", output=[]))
    assert [b'"id":"resp_2"' in b"".join(exchange.chunks) for exchange in exchanges] == [True]
    assert exchanges[0].request().body == create()
    _receive(it, delta("resp_1"), done("resp_1", "cancelled"))
    assert b'"resp_2"' not in b"".join(exchanges[1].chunks)


def test_a_transcript_is_a_call_of_its_own(exchanges: list[Exchange]) -> None:
    it = session(OPENAI_REALTIME)
    it.received(KNOWN)
    it.received(said("input_audio_buffer.committed", item_id="item_1"))
    it.sent(create())
    transcript = said("conversation.item.input_audio_transcription.completed", item_id="item_1")
    _receive(it, created("resp_1"), transcript, done("resp_1"))
    assert [_kinds(exchange)[0] for exchange in exchanges] == [
        "conversation.item.input_audio_transcription.completed",
        "response.created",
    ]
    assert exchanges[0].started < exchanges[1].started


def test_a_request_that_is_refused_is_a_call(exchanges: list[Exchange]) -> None:
    it = session(OPENAI_REALTIME)
    error = said("error", error={"type": "invalid_request_error", "message": "no"})
    it.received(error)
    assert not exchanges, "nothing was asked for"
    it.sent(create())
    it.received(error)
    assert [_kinds(exchange) for exchange in exchanges] == [["error"]]


@pytest.mark.parametrize(("error", "end"), [(None, "closed"), ("websocket_1011", "error")])
def test_what_is_under_way_ends_with_the_session(
    exchanges: list[Exchange], error: str | None, end: str
) -> None:
    it = session(OPENAI_REALTIME)
    it.sent(create())
    it.received(created("resp_1"))
    it.sent(create())
    it.ended(error, error and "no more quota")
    it.ended("websocket_1006", "again")
    assert [(each.end, each.error_type) for each in exchanges] == [(end, error), (end, error)]


def test_a_session_that_nobody_holds_any_more_ends(exchanges: list[Exchange]) -> None:
    it = session(OPENAI_REALTIME)
    it.sent(create())
    del it
    assert [exchange.end for exchange in exchanges] == ["closed"]


@pytest.mark.parametrize(("code", "calls"), [(1000, 0), (1001, 0), (1006, 0), (1008, 1), (4000, 1)])
def test_a_session_that_the_provider_ends_before_the_first_call_is_one_only_by_an_error(
    exchanges: list[Exchange], code: int, calls: int
) -> None:
    session(OPENAI_REALTIME).ended(f"websocket_{code}", "models/none is not found")
    assert [exchange.error_type for exchange in exchanges] == [f"websocket_{code}"] * calls


def test_what_the_user_says_makes_no_other_call(exchanges: list[Exchange]) -> None:
    """Quotes inside of texts are escaped, and what is nested is not looked at."""
    it = session(OPENAI_REALTIME)
    it.sent(create())
    tricky = '{"type":"response.done"}'
    it.received(created("resp_1"))
    it.received(said("response.output_text.delta", response_id="resp_1", delta=tricky))
    it.received(said("conversation.item.added", item={"type": "response.done", "text": tricky}))
    assert not exchanges
    it.received(done("resp_1", metadata={"type": "response.created"}))
    assert len(exchanges) == 1


def test_the_type_may_stand_behind_other_fields_and_spaces(exchanges: list[Exchange]) -> None:
    it = session(OPENAI_REALTIME)
    it.sent(b'{ "event_id" : "e", "type" : "response.create" }')
    it.received(b'{\n "event_id": "e",\n "type": "response.done",\n "response": {"id": "resp_1"}}')
    assert len(exchanges) == 1


def test_a_running_total_comes_with_the_end_before(exchanges: list[Exchange]) -> None:
    it = session(XAI_VOICE)
    for name in ("resp_1", "resp_2"):
        _receive(it, created(name), done(name))
    it.received(said("conversation.item.input_audio_transcription.completed", item_id="i"))
    _receive(it, created("resp_3"), done("resp_3"))
    assert [sum(b"response.done" in chunk for chunk in each.chunks) for each in exchanges] == [1, 2, 0, 2]


def test_an_error_ends_a_response_over_a_websocket(exchanges: list[Exchange]) -> None:
    it = session(OPENAI_RESPONSES)
    it.sent(create(model="gpt-5", input="Hi"))
    it.received(said("error", status=400, error={"code": "previous_response_not_found"}))
    it.sent(create(model="gpt-5", input="Hi"))
    _receive(it, created("resp_1"), said("response.failed", response={"id": "resp_1"}))
    assert [_kinds(exchange)[-1] for exchange in exchanges] == ["error", "response.failed"]


def _live(**fields: object) -> bytes:
    return json.dumps(fields).encode()


SETUP = _live(setup={"model": "models/gemini-live", "systemInstruction": {"parts": [{"text": "Be brief."}]}})
SOUND = _live(serverContent={"modelTurn": {"parts": [{"inlineData": {"data": "A" * 9000}}]}})
END = _live(serverContent={"turnComplete": True}, usageMetadata={"promptTokenCount": 3})


def test_each_turn_of_gemini_is_a_call(exchanges: list[Exchange]) -> None:
    it = session(GEMINI_LIVE)
    it.sent(SETUP)
    it.received(_live(setupComplete={"sessionId": "s1"}))
    asked = _live(client_content={"turns": [{"parts": [{"text": "Hi"}]}], "turn_complete": True})
    it.sent(asked)
    _receive(it, *[SOUND] * 9, _live(serverContent={"generationComplete": True}), END)
    it.sent(_live(realtime_input={"audio": {"data": "A" * 9000}}))
    _receive(it, *[SOUND] * 9, END)
    it.ended(None, None)
    assert [exchange.request().body for exchange in exchanges] == [asked, None]
    for exchange in exchanges:
        assert [SETUP in _lines(exchange), END in _lines(exchange), len(exchange.chunks)] == [True, True, 4]
        assert sum(map(len, exchange.chunks)) < 1500


def test_content_of_gemini_that_its_end_does_not_repeat_is_kept(exchanges: list[Exchange]) -> None:
    it = session(GEMINI_LIVE)
    told = [
        _live(serverContent={"modelTurn": {"parts": [{"text": "It "}]}}),
        _live(serverContent={"outputTranscription": {"text": "rains."}}),
        _live(toolCall={"functionCalls": [{"name": "weather", "args": {"city": "Hue" * 3000}}]}),
        _live(serverContent={"interrupted": True}),
    ]
    _receive(it, *told, END)
    assert _lines(exchanges[0])[:5] == [*told, END]


@pytest.mark.parametrize("before", [_live(serverContent={"interrupted": True}), END[:0]])
def test_a_question_that_gemini_was_asked_twice_is_one_call(exchanges: list[Exchange], before: bytes) -> None:
    it = session(GEMINI_LIVE)
    for _ in range(3):
        it.sent(_live(client_content={"turn_complete": True}))
    if before:
        it.received(before)
    _receive(it, SOUND, END)
    it.ended(None, None)
    assert len(exchanges) == 1


def _aiohttp(url: str) -> None:
    async def talk() -> None:
        headers = {"Authorization": "Bearer sk-none"}
        async with aiohttp.ClientSession(headers=headers) as client, client.ws_connect(url) as socket:
            await socket.send_str(ASK)

    asyncio.run(talk())


def _async(url: str) -> None:
    async def talk() -> None:
        headers = {"Authorization": "Bearer sk-none"}
        async with aconnect(url.replace("http", "ws"), additional_headers=headers) as socket:
            await socket.send(ASK)

    asyncio.run(talk())


def _sync(url: str) -> None:
    headers = {"Authorization": "Bearer sk-none"}
    with connect(url.replace("http", "ws"), additional_headers=headers) as socket:
        socket.send(ASK)


Talk = Callable[[str], None]
ALL = [_sync, _async, _aiohttp]


@pytest.mark.parametrize("talk", ALL)
def test_a_session_elsewhere_is_left_alone(running: Serving, exchanges: list[Exchange], talk: Talk) -> None:
    talk(running.url("echo", "http", path="/v1/chat"))
    assert not exchanges


@pytest.mark.parametrize("talk", ALL)
def test_a_used_up_budget_refuses_a_session(
    running: Serving,
    interceptor: Interceptor,
    exchanges: list[Exchange],
    talk: Talk,
) -> None:
    def refuse() -> None:
        raise RefusedError

    interceptor.admit = refuse
    with pytest.raises(RefusedError):
        talk(running.url("echo", "http"))
    talk(running.url("echo", "http", path="/v1/chat"))
    assert not exchanges


@pytest.mark.parametrize("talk", ALL)
def test_a_session_of_our_own_or_one_that_is_ignored_is_not_recorded(
    running: Serving,
    interceptor: Interceptor,
    exchanges: list[Exchange],
    talk: Talk,
) -> None:
    with handoff.unseen():
        talk(running.url("talk", "http"))
    interceptor.ignores = lambda host, port, path: (
        (host, port, path)
        == (
            "127.0.0.1",
            running.port,
            "/v1/realtime",
        )
    )
    talk(running.url("talk", "http"))
    assert not exchanges
    interceptor.ignores = None
    talk(running.url("talk", "http"))
    assert len(exchanges) == 1


@pytest.mark.parametrize("talk", ALL)
def test_it_is_known_who_was_asked_and_what_was_answered(
    running: Serving,
    exchanges: list[Exchange],
    talk: Talk,
) -> None:
    talk(running.url("talk", "http"))
    (exchange,) = exchanges
    request = exchange.request()
    assert (request.host, request.path) == (f"127.0.0.1:{running.port}", "/v1/realtime")
    assert "model=gpt-realtime" in request.query
    assert request.headers["authorization"] == "Bearer sk-none"
    assert (exchange.status, exchange.response_headers["upgrade"]) == (101, "websocket")


def test_a_call_belongs_to_who_asks_for_it(exchanges: list[Exchange]) -> None:
    with miharu.context(user="opens"):
        it = session(OPENAI_REALTIME)
    with miharu.context(user="asks"):
        it.sent(create())
    _receive(it, created("resp_1"), done("resp_1"), created("resp_2"), done("resp_2"))
    assert [attribution_of_exchange(each).user_id for each in exchanges] == ["asks", "opens"]
