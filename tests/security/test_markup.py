"""What models, users and errors say stays text: in a real browser, on every page, in every place."""

import asyncio
import csv
import io
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args
from urllib.parse import quote

import pytest

from miharu.batch import Batch, Score, Span
from miharu.call import Body, Call, Outcome, Usage, new_id
from miharu.dashboard.address.view import FILTERS, Tab
from miharu.dashboard.resources.export import FILES
from miharu.dashboard.routes import SCREENS
from miharu.stores.sqlite import SQLiteStore
from miharu.testing.open_store import both
from tests.security.world import Door, ask, open_door

ELSEWHERE = "http://elsewhere.example"
MARKUP = (
    f"<x-injected></x-injected><img src=x onerror=\"window.ran=1\"><img src='{ELSEWHERE}/i.png'>"
    f"<script>window.ran=1</script><svg onload=window.ran=1><style>@import '{ELSEWHERE}/s.css'</style>"
    f"<link rel=stylesheet href={ELSEWHERE}/l.css><base href={ELSEWHERE}/><iframe srcdoc='<x-injected>'>"
)
CLOSING = f"\"'></title></textarea></option></script></style></pre></td></table>--> {MARKUP}"
ATTRIBUTE = '" onmouseover=window.ran=1 autofocus onfocus=window.ran=1 style="background:url(x)" x=\''
MARKDOWN = (
    f"![see]({ELSEWHERE}/m.png) [click](javascript:window.ran=1) <{ELSEWHERE}> `</code>{MARKUP}` {{{{7*7}}}}"
)
LINK = "javascript:window.ran=1//"
HTMX = f'<div hx-get="{ELSEWHERE}/h" hx-trigger="load" hx-on:load="window.ran=1">x-injected</div>'
FORMULA = f'=HYPERLINK("{ELSEWHERE}","x")'
PAYLOADS = (CLOSING, ATTRIBUTE, MARKDOWN, LINK, HTMX, FORMULA, f"\u202e{MARKUP}\x00\x1b[31m")
OPEN_ALL = "document.querySelectorAll('details').forEach((one) => { one.open = true })"
POINT_EVERYWHERE = """document.querySelectorAll("svg, [data-chart], tbody tr").forEach((one) => {
    for (const kind of ["pointermove", "mouseover"]) one.dispatchEvent(new Event(kind, {bubbles: true}));
})"""
PICTURE = {"type": "image_url", "image_url": {"url": f"{ELSEWHERE}/picture.png"}}


def openai(text: str) -> tuple[Any, Any]:
    """A conversation that says it in each of its places."""
    tool = {"id": text, "type": "function", "function": {"name": text, "arguments": json.dumps({text: text})}}
    asked = [
        {"role": "system", "content": text},
        {"role": text, "name": text, "content": [{"type": "text", "text": text}, PICTURE]},
        {
            "role": "user",
            "content": [{"type": "image_url", "image_url": {"url": f"data:image/svg+xml,{text}"}}],
        },
        {"role": "assistant", "tool_calls": [tool]},
        {"role": "tool", "tool_call_id": text, "name": text, "content": text},
    ]
    tools = [{"type": "function", "function": {"name": text, "description": text}}]
    said = {"role": "assistant", "content": text, "refusal": text, "tool_calls": [tool]}
    return (
        {"model": text, "messages": asked, "tools": tools, "user": text},
        {"model": text, "id": text, "choices": [{"message": said, "finish_reason": text}]},
    )


def anthropic(text: str) -> tuple[Any, Any]:
    used = {"type": "tool_use", "id": text, "name": text, "input": {text: [text, {"a": text}]}}
    result = {"type": "tool_result", "tool_use_id": text, "is_error": True, "content": text}
    picture = {"type": "image", "source": {"type": "url", "url": f"{ELSEWHERE}/picture.png"}}
    asked = [
        {"role": "user", "content": [{"type": "text", "text": text}, picture]},
        {"role": "assistant", "content": [used]},
        {"role": "user", "content": [result, {"type": text, text: text}]},
    ]
    thinking = {"type": "thinking", "thinking": text, "signature": text}
    return (
        {"model": text, "system": text, "messages": asked},
        {"model": text, "stop_reason": text, "content": [thinking, {"type": "text", "text": text}, used]},
    )


def responses(text: str) -> tuple[Any, Any]:
    called = {"type": "function_call", "call_id": text, "name": text, "arguments": text}
    output = {"type": "function_call_output", "call_id": text, "output": text}
    words = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}
    thought = {"type": "reasoning", "summary": [{"type": "summary_text", "text": text}]}
    asked = [{"role": "user", "content": text}, called, output]
    return {"model": text, "instructions": text, "input": asked}, {"output": [thought, words, called]}


def gemini(text: str) -> tuple[Any, Any]:
    parts = [
        {"text": text},
        {"functionCall": {"name": text, "args": {text: text}}},
        {"functionResponse": {"name": text, "response": {text: text}}},
        {"fileData": {"mimeType": text, "fileUri": f"{ELSEWHERE}/file"}},
    ]
    asked = {"systemInstruction": {"parts": parts[:1]}, "contents": [{"role": text, "parts": parts}]}
    return asked, {"candidates": [{"content": {"parts": parts}, "finishReason": text}]}


def plain(text: str) -> tuple[Any, Any]:
    return text, {"error": {"message": text, "type": text, "code": text}}


FORMATS = {
    "openai.chat": openai,
    "anthropic.messages": anthropic,
    "openai.responses": responses,
    "gemini.generate": gemini,
    "unknown": plain,
}


def batch(now: int) -> Batch:
    """Calls, spans and scores whose every word is hostile."""
    calls, spans, scores = [], [], []
    for number, text in enumerate(PAYLOADS):
        for api, conversation in FORMATS.items():
            asked, said = (json.dumps(part).encode() for part in conversation(text))
            failed = api == "unknown"
            call = Call(
                id=new_id(now - number * 1000),
                timestamp=now - number * 1000,
                api=api,
                outcome=Outcome(status="error", http_status=429, error_type=text, error_message=text)
                if failed
                else Outcome(status="success", http_status=200),
                usage=Usage(prompt_tokens=9, completion_tokens=9, usage_source="provider", usage_raw=text),
                duration_ms=900,
                ttft_ms=90,
                stream=True,
                tags={text: text, "team": text},
                rate_limit=json.dumps({text: text}),
                parent_id=f"s{number}",
                trace_id=f"t{number}",
                body=Body(request=asked, response=said),
                **dict.fromkeys(
                    (
                        *("model", "request_model", "provider", "host", "sdk", "finish_reason", "route"),
                        *("service_tier", "response_id", "request_id", "service", "user_id", "session_id"),
                        *("host_request_id", "call_group"),
                    ),
                    text,
                ),  # type: ignore[arg-type]
            )
            calls.append(call)
            scores.append(
                Score(id=new_id(now), timestamp=now, name=text, value=1.0, call_id=call.id, comment=text)
            )
        spans.append(
            Span(
                id=f"s{number}",
                timestamp=now - number * 1000,
                duration_ms=1000,
                name=text,
                trace_id=f"t{number}",
                status="error",
                **dict.fromkeys(
                    ("error_type", "error_message", "route", "user_id", "session_id", "service"), text
                ),
                tags={text: text},
            )
        )
    return Batch(calls=calls, spans=spans, scores=scores)


async def _store(file: Path, stored: Batch) -> None:
    store = both(SQLiteStore(f"sqlite+aiosqlite:///{file}"))
    await store.open()
    await store.add(stored)
    await store.close()


@pytest.fixture(scope="module")
def hostile() -> Batch:
    return batch(time.time_ns() // 1_000_000 - 60_000)


@pytest.fixture(scope="module")
def door(hostile: Batch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    file = tmp_path_factory.mktemp("markup") / "calls.db"
    storing = threading.Thread(
        target=lambda: asyncio.run(_store(file, hostile))
    )  # Playwright has a loop here
    storing.start()
    storing.join()
    with open_door("standalone", file, MIHARU_AUTH="off") as opened:
        yield opened


class Watched:
    """A tab, and what it has done that no text does."""

    def __init__(self, tab: Any, door: Door) -> None:
        self.tab, self._door = tab, door
        self.outside: list[str] = []
        self.refused: list[str] = []
        tab.on("request", self._asked)
        tab.on("console", lambda said: self.refused.append(said.text) if "Policy" in said.text else None)
        tab.on("dialog", lambda dialog: self.outside.append(dialog.message))

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self._door.address + "/", "data:")):
            self.outside.append(request.url)

    def go(self, path: str) -> None:
        self.tab.goto(self._door.url + path)

    def assert_harmless(self, what: str) -> None:
        found = self.tab.evaluate(
            """() => ({
                ran: window.ran ?? null,
                made: document.querySelectorAll("x-injected, iframe, base, object, embed").length,
                handlers: [...document.querySelectorAll("*")].filter((element) => [...element.attributes]
                    .some((one) => one.name.startsWith("on") || one.name.startsWith("hx-on"))).length,
                pictures: [...document.images].map((image) => image.src)
                    .filter((source) => !source.startsWith("data:") && !source.startsWith(location.origin)),
                links: [...document.querySelectorAll("[href], [action], [hx-get], [xlink\\\\:href]")]
                    .flatMap((element) => ["href", "action", "hx-get", "xlink:href"]
                        .map((name) => element.getAttribute(name)).filter(Boolean))
                    .filter((link) => new URL(link, location).origin !== location.origin),
            })"""
        )
        assert found == {"ran": None, "made": 0, "handlers": 0, "pictures": [], "links": []}, what
        assert (self.outside, self.refused) == ([], []), what


@pytest.fixture
def watched(browser: Any, door: Door) -> Iterator[Watched]:
    context = browser.new_context(reduced_motion="reduce")
    yield Watched(context.new_page(), door)
    context.close()


@pytest.mark.browser
def test_no_page_takes_it_for_anything_but_text(watched: Watched) -> None:
    """Also where scripts fill in what is open, pointed at or new: they make text of it as well."""
    for path in (*(screen.path for screen in SCREENS), "?by=route", "compare?by=user", "sessions?sel=t0"):
        watched.go(path)
        watched.tab.evaluate(OPEN_ALL)
        watched.tab.evaluate(POINT_EVERYWHERE)
        assert "x-injected" in watched.tab.inner_text("body"), path  # it is there, to be read
        with watched.tab.expect_response(lambda answer: "-" in answer.url):  # a part of the page, again
            watched.tab.evaluate("document.body.dispatchEvent(new Event('miharu:tick'))")
        watched.assert_harmless(path)


@pytest.mark.browser
@pytest.mark.parametrize(
    "api",
    [pytest.param(api, marks=() if api == "openai.chat" else pytest.mark.full) for api in FORMATS],
)
def test_no_message_tool_or_error_is_more_than_text(api: str, watched: Watched, hostile: Batch) -> None:
    for call in hostile.calls:
        if call.api != api or "x-injected" not in str(call.model):
            continue
        for tab in get_args(Tab):
            watched.go(f"calls?range=24h&sel={call.id}&tab={tab}")
            watched.tab.evaluate(OPEN_ALL)
            assert "x-injected" in watched.tab.inner_text("aside")  # it is there, to be read
            watched.assert_harmless(f"{api}, {tab}: {call.model!r}")


@pytest.mark.browser
@pytest.mark.parametrize(
    "screen",
    [pytest.param(one, marks=() if one.path == "calls" else pytest.mark.full) for one in SCREENS],
    ids=lambda screen: screen.path or "overview",
)
def test_nothing_in_an_address_is_more_than_text(screen: Any, watched: Watched) -> None:
    names = (
        *FILTERS,
        "range",
        "start",
        "end",
        "sort",
        "sel",
        "by",
        "measure",
        "q",
        "cmp",
        "page",
        "token",
        "x",
    )
    for text in (CLOSING, ATTRIBUTE, LINK):
        watched.go(f"{screen.path}?" + "&".join(f"{name}={quote(text)}" for name in names if name != "token"))
        watched.assert_harmless(f"{screen.path}: {text}")
    for name in names:
        watched.go(f"{screen.path}?{name}={quote(CLOSING)}#{quote(CLOSING)}")
        watched.assert_harmless(f"{screen.path}: {name}")
    watched.go(f"find?q={quote(CLOSING)}")
    watched.assert_harmless("find")


def test_what_is_sent_as_data_is_never_taken_for_a_page(door: Door) -> None:
    for path in ("export.json", "export.csv", "api/calls", "api/groups?by=model"):
        answer = ask(door, path)
        assert answer.status == 200, path
        assert "x-injected" in answer.body.decode()
        assert answer.all("content-type")[0].partition(";")[0] in {"application/json", "text/csv"}
        assert answer.all("x-content-type-options") == ["nosniff"]


def test_the_file_for_a_spreadsheet_holds_no_formula(door: Door) -> None:
    seen = 0
    for name in FILES:
        cells = [
            cell
            for row in csv.reader(io.StringIO(ask(door, f"export.csv?of={name}&range=24h").body.decode()))
            for cell in row
        ]
        for cell in cells:
            assert not cell.lstrip().startswith(("=", "+", "@", "\t", "\r")), (name, cell)
            assert not cell.startswith("-") or cell.lstrip("-").replace(".", "").isdigit(), (name, cell)
        seen += f"'{FORMULA}" in cells
    assert seen >= 4
