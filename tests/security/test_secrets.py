"""Each door by which a credential reached what miharu keeps: none of them is open.

Here exchanges are made by hand; ``test_planted.py`` runs a whole program.
"""

import base64
import json
import logging
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
import yarl
from multidict import CIMultiDict, MultiDict

from miharu import providers
from miharu.attribution.spans.span import OpenSpan
from miharu.batch import Score, Span
from miharu.call import Call
from miharu.exchange import Request
from miharu.interceptor.aiohttp import AiohttpExchange
from miharu.plugins import load
from miharu.recorder.batch_reader import BatchReader
from miharu.recorder.counters import Counters
from miharu.recorder.queue import ExchangeQueue
from miharu.recorder.reading.content import KEPT_CONTENT
from miharu.recorder.reading.reader import Reader
from miharu.recorder.reading.redactor import _is_odd
from miharu.recorder.spool.records import pack
from miharu.redaction import values
from tests.world import HandMade, exchange, sse

FORMATS = [provider() for _, provider in load(providers.BUILT_IN)]
SECRET = "planted/Zx9+Qw7=Er5"
"""Of no known shape."""
URL = "https://api.openai.com/v1/chat/completions"
ASKED = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
ANSWER: dict[str, Any] = {
    "id": "chatcmpl-1",
    "model": "gpt-4o",
    "choices": [{"message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 5},
}
BEARER = {"authorization": f"Bearer {SECRET}"}
FORMS = {
    "plain": SECRET,
    "in an address": quote(SECRET, safe=""),
    "in a form": quote(SECRET),
    "in small digits": SECRET.replace("/", "%2f").replace("+", "%2b").replace("=", "%3d"),
    "twice in an address": quote(quote(SECRET, safe=""), safe=""),
    "in base64": base64.b64encode(SECRET.encode()).decode(),
    "in base64 of more": base64.b64encode(f"user:{SECRET}:x".encode()).decode(),
    "in JSON": json.dumps(SECRET)[1:-1].replace("/", "\\/"),
    "in JSON for pages": SECRET.replace("+", "\\u002B").replace("=", "\\u003D").replace("/", "\\u002F"),
    "in hexadecimal": SECRET.encode().hex(),
}


class Login:
    """As aiohttp's own, which it deprecates."""

    def __init__(self, password: str) -> None:
        self.password = password

    def encode(self) -> str:
        return f"Basic {base64.b64encode(f'me:{self.password}'.encode()).decode()}"


@pytest.fixture(autouse=True)
def nothing_is_known() -> None:
    values.forget()


def kept(*, content: bool = False, **facts: Any) -> Call:
    call = Reader(FORMATS, capture_content=content).read(exchange(**{"asked": ASKED, "body": ANSWER} | facts))
    assert call is not None
    return call


def leaks(kept: object) -> list[str]:
    """In which forms it is still there: in the text of it all, and in the bytes that are spooled."""
    from miharu.batch import Batch

    batch = Batch(
        calls=[kept] if isinstance(kept, Call) else [],
        spans=[kept] if isinstance(kept, Span) else [],
        scores=[kept] if isinstance(kept, Score) else [],
    )
    text = pack(batch) + repr(kept).encode()
    core = base64.b64encode(f"user:{SECRET}:x".encode()).decode()[8:24]
    searched = {**FORMS, "in base64 of more": core}
    return [name for name, form in searched.items() if form.encode() in text]


@pytest.mark.parametrize("form", FORMS)
def test_an_error_that_quotes_the_key_does_not_show_it(form: str) -> None:
    error = {"error": {"message": f"Incorrect key provided: {FORMS[form]}. Look it up.", "type": "auth"}}
    call = kept(request_headers=BEARER, body=error, status=401)
    assert leaks(call) == []
    assert (call.outcome.error_message or "").startswith("Incorrect key provided: ")


@pytest.mark.parametrize("form", FORMS)
def test_a_body_that_quotes_the_key_does_not_show_it(form: str) -> None:
    asked = ASKED | {"note": f"before {FORMS[form]} behind"}
    call = kept(content=True, request_headers=BEARER, asked=asked, body=ANSWER | {"note": FORMS[form]})
    assert leaks(call) == []
    assert call.body is not None
    assert (call.body.request or b"").count(b"[redacted]") == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"x-api-key": SECRET},
        {"api-key": SECRET},
        {"x-goog-api-key": SECRET},
        {"authorization": SECRET},
        {"authorization": f"Basic {base64.b64encode(f'user:{SECRET}'.encode()).decode()}"},
        {"proxy-authorization": f"Bearer {SECRET}"},
        {"cookie": f'theme=dark; sid="{SECRET}"'},
        {"x-amz-security-token": SECRET},
        {"ocp-apim-subscription-key": SECRET},
        {"x-portkey-api-key": SECRET},
        {"authorization": f"AWS4-HMAC-SHA256 Credential=AKID/x, SignedHeaders=host, Signature={SECRET}"},
        {"authorization": f"Key 0123-4567:{SECRET}"},
        {"authorization": f"Bearer Bearer {SECRET}"},
        {"authorization": f"Bearer '{SECRET}'"},
        {"x-api-key": f"{SECRET}, another-key-1"},
        {"x-portkey-config": json.dumps({"provider": "openai", "api_key": SECRET})},
        {"referer": f"https://host/?key={quote(SECRET, safe='')}"},
        {"x-target": f"https://user:{quote(SECRET, safe='')}@host/"},
        {"cookie": "; ".join(f"c{n}=value-{n}-of-many" for n in range(99)), "x-api-key": SECRET},
    ],
)
def test_whatever_header_has_carried_it(headers: dict[str, str]) -> None:
    call = kept(
        request_headers=headers, body={"error": {"message": f"no: {SECRET}", "type": "x"}}, status=401
    )
    assert leaks(call) == []


def test_a_form_has_carried_it() -> None:
    made = exchange(asked=None, body={"error": {"message": f"no: {SECRET}"}}, status=401)
    made.asked = replace(made.asked, fields={"model": "gpt-4o", "api_key": SECRET})
    call = Reader(FORMATS).read(made)
    assert call is not None
    assert leaks(call) == []


def test_the_address_has_carried_it() -> None:
    url = f"{URL}?key={quote(SECRET, safe='')}"
    call = kept(url=url, body={"error": {"message": f"no: {SECRET}"}}, status=401)
    assert leaks(call) == []


def test_the_part_before_the_host_has_carried_it() -> None:
    made = exchange(asked=ASKED, body={"error": {"message": f"no: {SECRET}"}}, status=401)
    known = made.asked
    made.asked = Request(
        method="POST",
        host=known.host,
        path=known.path,
        query="",
        userinfo=f"user:{quote(SECRET, safe='')}",
        headers={},
        body=known.body,
    )
    call = Reader(FORMATS).read(made)
    assert leaks(call) == []


def test_the_body_has_carried_it() -> None:
    asked = ASKED | {"mcp_servers": [{"type": "url", "authorization_token": SECRET}]}
    call = kept(asked=asked, body={"error": {"message": f"the server refused {SECRET}"}}, status=400)
    assert leaks(call) == []


@pytest.mark.parametrize(
    "message",
    [
        f"401, message='Unauthorized', url='https://h/v1/chat?key={quote(SECRET, safe='')}'",
        f"Redirect response '302 Found' for url 'https://h/v1?api_key={quote(SECRET, safe='')}&b=1'",
        f"400, message:\n  Bad status line 'HTTP/9': https://user:{quote(SECRET, safe='')}@h/v1",
        f"Client error '401 Unauthorized' for url 'https://h/v1?access_token={SECRET}'",
        f"illegal header value b'Bearer {SECRET}'",
        f"Cannot connect with {{'authorization': 'Bearer {SECRET}'}}",
    ],
)
def test_an_exception_does_not_show_it(message: str) -> None:
    facts: dict[str, Any] = {"status": None, "end": "error", "error": ("x.Error", message), "body": None}
    assert leaks(kept(**facts)) == []


def test_no_column_shows_it() -> None:
    answer = ANSWER | {
        "id": f"id-{SECRET}",
        "model": f"m-{SECRET}",
        "service_tier": SECRET,
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "note": SECRET, "x": [SECRET]},
    }
    answer["choices"] = [{"message": {"content": "x"}, "finish_reason": SECRET}]
    headers = {"x-request-id": SECRET, "x-ratelimit-owner": SECRET}
    call = kept(
        asked=ASKED | {"model": SECRET},
        body=answer,
        headers=headers,
        request_headers=BEARER | {"user-agent": SECRET},
    )
    assert leaks(call) == []


@pytest.mark.parametrize("size", [8, 9, 10, 19, 44])
@pytest.mark.parametrize("ahead", [0, 1, 2])
@pytest.mark.parametrize("place", ["response", "request"])
@pytest.mark.parametrize("sent", ["Bearer {}", "{}"])
def test_an_id_made_of_a_key_does_not_show_it(size: int, ahead: int, place: str, sent: str) -> None:
    """Of any length, in an otherwise plain call, however it is written there."""
    key = f"{SECRET}Aq2Ws3Ed4Rf5Tg6Yh7Uj8Ik9"[-size:]
    code = base64.b64encode(b"." * ahead + key.encode())
    within = code[(ahead * 8 + 5) // 6 : (ahead + size) * 8 // 6].decode()
    for form in (key, quote(key, safe=""), within, key.encode().hex(), key.encode().hex().upper()):
        facts = (
            {"body": ANSWER | {"id": form}} if place == "response" else {"headers": {"x-request-id": form}}
        )
        call = kept(request_headers={"authorization": sent.format(key), "user-agent": "sdk/1.0"}, **facts)
        assert form not in repr(call)
        values.forget()


@pytest.mark.parametrize("place", ["limits", "usage"])
def test_figures_do_not_show_a_short_key(place: str) -> None:
    key = "Zx9Qw7Er"
    usage = {"usage": {"prompt_tokens": 1, "note": key}}
    facts = {"headers": {"x-ratelimit-owner": key}} if place == "limits" else {"body": ANSWER | usage}
    assert key not in repr(kept(request_headers={"authorization": f"Bearer {key}"}, **facts))


@pytest.mark.parametrize(
    "agent", ["Zx9Qw7Er5Ty3Ui1Op", "Zx9Qw7/9Er5Ty3", "Bearer Zx9Qw7Er5Ty3", "openai/1.2 (key Zx9Qw7Er5Ty3)"]
)
def test_an_agent_that_is_a_secret_is_no_sdk(agent: str) -> None:
    assert kept(request_headers={"user-agent": agent}).sdk in {None, "openai/1.2"}
    key = "sk-proj-Zx9Qw7Er5Ty3Ui1Op"
    assert kept(request_headers={"user-agent": key, "authorization": f"Bearer {key}"}).sdk is None


def test_a_key_that_was_carried_is_not_taken_for_an_sdk() -> None:
    call = kept(
        request_headers={"authorization": "Bearer abcdefgh/12.ijkl", "user-agent": "abcdefgh/12.ijkl"}
    )
    assert call.sdk is None


CONTENT: dict[str, dict[str, Any]] = {
    "MCP of OpenAI": {
        "tools": [
            {
                "type": "mcp",
                "server_url": f"https://mcp.example/Zx9Qw7Er5Ty3/sse?token={quote(SECRET, safe='')}",
                "authorization": SECRET,
                "headers": {"X-Whatever": SECRET, "Content-Type": "application/json"},
            }
        ]
    },
    "MCP of Anthropic": {"mcp_servers": [{"url": "https://mcp.example", "authorization_token": SECRET}]},
    "data of Azure": {
        "data_sources": [
            {"parameters": {"authentication": {"type": "api_key", "key": SECRET}, "endpoint": "https://s"}},
            {"parameters": {"authentication": {"type": "connection_string", "connection_string": SECRET}}},
            {"parameters": {"key": SECRET}},
        ]
    },
    "a tool's definition": {"tools": [{"type": "function", "function": {"name": "f", "api_key": SECRET}}]},
    "a tool's arguments": {
        "messages": [{"tool_calls": [{"function": {"arguments": json.dumps({"password": SECRET})}}]}]
    },
    "a tool's result": {
        "messages": [{"role": "tool", "content": json.dumps({"env": {"DB_PASSWORD": SECRET}}, indent=2)}]
    },
    "a prompt": {"messages": [{"content": f"curl -H 'Authorization: Bearer {SECRET}' https://h"}]},
    "settings in a prompt": {"messages": [{"content": f"AWS_SECRET_ACCESS_KEY={SECRET}\nREGION=x"}]},
}


@pytest.mark.parametrize("where", CONTENT)
def test_content_is_kept_without_it(where: str) -> None:
    call = kept(content=True, asked=ASKED | CONTENT[where], body=ANSWER | CONTENT[where])
    assert leaks(call) == []
    assert call.body is not None
    assert b"Zx9" not in (call.body.request or b"") + (call.body.response or b"")
    json.loads(call.body.request or b"")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded", f"api_key={quote(SECRET, safe='')}&model=m".encode()),
        (
            "multipart/form-data; boundary=b",
            f'--b\r\ncontent-disposition: form-data; name="api_key"\r\n\r\n{SECRET}\r\n--b--'.encode(),
        ),
        ("text/plain", f"x-api-key: {SECRET}".encode()),
    ],
)
def test_what_is_no_json_is_read_as_text(kind: str, body: bytes) -> None:
    call = kept(content=True, asked=body, request_headers={"content-type": kind})
    assert leaks(call) == []


def test_a_stream_is_read_as_text() -> None:
    chunks = sse(
        {"choices": [{"delta": {"content": "x"}}], "api_key": SECRET},
        {"choices": [{"delta": {}, "finish_reason": "stop"}]},
    )
    call = kept(content=True, body=None, chunks=chunks, headers={"content-type": "text/event-stream"})
    assert leaks(call) == []


@pytest.mark.parametrize("step", [1, 3, 7])
def test_a_secret_in_the_pieces_of_a_stream_is_one(step: int) -> None:
    for text in (f"the key is {SECRET}, keep it", "use sk-proj-Zx9Qw7Er5Ty3Ui1Op now"):
        deltas = [
            {"choices": [{"delta": {"content": text[at : at + step]}}]} for at in range(0, len(text), step)
        ]
        chunks = sse(*deltas, {"choices": [{"delta": {}, "finish_reason": "stop"}]})
        headers = {"content-type": "text/event-stream"}
        call = kept(content=True, body=None, chunks=chunks, headers=headers, request_headers=BEARER)
        assert call.body is not None
        events = [
            line[6:]
            for line in (call.body.response or b"").decode().split("\n")
            if line.startswith("data: {")
        ]
        read = "".join(json.loads(event)["choices"][0]["delta"].get("content", "") for event in events)
        assert "Zx9" not in read
        assert "Qw7" not in read
        assert read.startswith(text[:4])
        assert read.endswith(text[-4:])


def test_a_secret_in_two_chunks_is_one() -> None:
    whole = json.dumps(ANSWER | {"note": SECRET}).encode()
    at = whole.index(b"Zx9") + 2
    call = kept(content=True, body=None, chunks=[whole[:at], whole[at:]], request_headers=BEARER)
    assert leaks(call) == []


@pytest.mark.parametrize("shift", [0, 3, 9, 18, 25, 60])
def test_nothing_of_it_is_left_where_a_body_is_cut(shift: int) -> None:
    filling = "words and " * (KEPT_CONTENT // 10 + 4000)
    for text in (SECRET, json.dumps({"api_key": "Zx9Qw7"})):
        note = filling[: KEPT_CONTENT - shift - 60] + text + filling
        call = kept(content=True, asked=json.dumps({"a": note}).encode(), request_headers=BEARER)
        assert call.body is not None
        assert b"Zx9" not in (call.body.request or b"")
        assert b"planted" not in (call.body.request or b"")[-64:]


def test_nothing_of_it_is_left_where_the_middle_of_an_answer_was_not_kept() -> None:
    made = exchange(
        asked=ASKED, chunks=[b'{"a":"' + b"w " * 40_000 + b"planted/Zx9+"], request_headers=BEARER
    )
    made.overflow(b"Qw7=Er5 " + b"w " * 40_000 + b'"}')
    call = Reader(FORMATS, capture_content=True).read(made)
    assert call is not None
    assert call.body is not None
    assert b"Zx9" not in (call.body.response or b"")
    assert b"Qw7" not in (call.body.response or b"")


def test_a_stream_that_was_left_in_the_middle_of_it() -> None:
    chunks = [b'data: {"choices":[{"delta":{"content":"your key is planted/Zx']
    call = kept(content=True, body=None, chunks=chunks, end="closed", request_headers=BEARER)
    assert call.body is not None
    assert b"planted" not in (call.body.response or b"")


def recorded(*left: Any) -> list[Any]:
    queue = ExchangeQueue()
    for one in left:
        queue.put(one) if isinstance(one, HandMade) else queue.put_record(one)
    made: list[Any] = []
    BatchReader(queue, Reader(FORMATS), Counters()).fill(made, in_a_hurry=True)
    return made


def span(error: Exception) -> OpenSpan:
    made = OpenSpan("work")
    made.begin()
    made.leave()
    made.end(error)
    return made


def test_a_span_that_ends_with_an_exception_does_not_show_it() -> None:
    by_name, by_value = recorded(
        span(ValueError(f"Client error '401' for url 'https://h/v1?key={quote(SECRET, safe='')}'")),
        exchange(asked=ASKED, body=ANSWER, request_headers=BEARER),
        span(ValueError(f"the gateway said: {SECRET}")),
    )[::2]
    assert leaks(by_name) == leaks(by_value) == []


def test_a_score_does_not_show_it() -> None:
    score = Score(id="x", timestamp=1, name="ok", value=1.0, comment=f"api_key={SECRET}")
    assert leaks(recorded(score)[0]) == []


def test_a_long_message_leaves_nothing_on_its_edge() -> None:
    for length in range(1980, 2001, 4):
        error = {"error": {"message": "-" * length + SECRET + "." * 40_000, "type": "x"}}
        message = kept(request_headers=BEARER, body=error, status=401).outcome.error_message or ""
        assert len(message) <= 2000
        assert "planted" not in message


def test_figures_are_looked_through_only_where_they_are_texts() -> None:
    """A plain call costs next to nothing: names of figures are not taken for what they hold."""
    limits = {"x-ratelimit-remaining-requests": "1", "x-ratelimit-reset-tokens": "12ms"}
    call = kept(headers=limits)
    assert not _is_odd(call)
    assert _is_odd(kept(headers={"x-ratelimit-owner": "someone-with-a-long-name"}))


def test_a_key_of_none_hides_nothing_else() -> None:
    call = kept(
        url="http://localhost:11434/v1/chat/completions",
        request_headers={"authorization": "Bearer ollama", "user-agent": "ollama/0.6"},
        body=ANSWER | {"model": "ollama-7b"},
    )
    assert (call.sdk, call.model) == ("ollama/0.6", "ollama-7b")


def test_the_log_does_not_show_it(caplog: pytest.LogCaptureFixture) -> None:
    values.remember([SECRET])
    log = logging.getLogger("miharu")
    log.warning("miharu: %s failed with %s", "it", ValueError(f"no {SECRET}"))
    try:
        raise ValueError(f"https://h/?key={quote(SECRET, safe='')}")
    except ValueError:
        log.warning("miharu: failed", exc_info=True)
    log.warning("miharu: %d", "no number")
    assert "Zx9" not in caplog.text
    assert "ValueError: https://h/?key=[redacted]" in caplog.text
    assert all(record.exc_info is None and record.args is None for record in caplog.records)


def test_everything_is_logged_by_one_name() -> None:
    """The filter stands on it. Loggers of others are only kept quiet."""
    from pathlib import Path

    import miharu

    for path in Path(miharu.__file__).parent.rglob("*.py"):
        if "testing" in path.parts:
            continue
        text = path.read_text()
        others = (
            'getLogger("httpx")',
            "getLogger(name)" if "clickhouse" in path.parts else 'getLogger("httpx")',
        )
        assert text.count("getLogger(") == sum(map(text.count, {'getLogger("miharu")', *others}))


@pytest.mark.parametrize(
    "asked",
    [
        {"params": {"key": SECRET, "number": 5}},
        {"params": [("key", SECRET)]},
        {"params": MultiDict(key=SECRET)},
        {"params": f"?key={quote(SECRET, safe='')}"},
        {"headers": {"authorization": f"Bearer {SECRET}"}},
        {"headers": [("Authorization", f"Bearer {SECRET}")]},
        {"headers": CIMultiDict({"X-Api-Key": SECRET})},
        {"cookies": {"sid": SECRET}},
        {"cookies": [("sid", SECRET)]},
        {"auth": Login(SECRET)},
        {"usual": ({"authorization": f"Bearer {SECRET}"}, None)},
        {"usual": (None, Login(SECRET))},
        {"url": f"https://me:{quote(SECRET, safe='')}@api.openai.com/v1/chat/completions"},
        {"url": f"{URL}?key={quote(SECRET, safe='')}"},
        {"params": 5, "headers": 5, "cookies": 5, "auth": 5, "url": f"{URL}?key={quote(SECRET, safe='')}"},
    ],
)
@pytest.mark.parametrize("shed", [False, True])
def test_aiohttp_is_told_of_it_in_many_ways(asked: dict[str, Any], shed: bool) -> None:
    asked = dict(asked)
    made = AiohttpExchange("POST", yarl.URL(asked.pop("url", URL), encoded=True), {"json": ASKED, **asked})
    made.usual = asked.pop("usual", (None, None))
    if shed:
        made.abridge_request()
    made.end, made.ended = "error", made.started
    made.error_type, made.error_message = "aiohttp.ClientError", f"the gateway said {SECRET}"
    call = Reader(FORMATS).read(made)
    assert call is not None
    assert leaks(call) == []
