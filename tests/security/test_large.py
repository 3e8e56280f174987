"""Bodies and rows of any size and shape: what a page, a file and the command line make of them is bounded."""

import json
import re
import sqlite3
import sys
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from miharu.batch import Batch
from miharu.call import Body, Call
from miharu.dashboard.call import bodies
from miharu.dashboard.http.page import Page
from miharu.providers import BUILT_IN
from miharu.providers.messages import Tells
from miharu.recorder.reading.content import KEPT_CONTENT
from miharu.stores.bodies import LARGEST_BODY
from miharu.stores.sqlite import SQLiteStore
from miharu.testing.open_store import both
from miharu.testing.store_contract import NOON, make_call
from miharu.wire import abridged, indented
from tests.dashboard.conftest import get, make_site
from tests.dashboard.memory import MemoryStore

pytestmark = pytest.mark.anyio
FORMATS = [point.name for point in BUILT_IN if isinstance(point.load()(), Tells)]
MOST_HTML = 1_500_000
MOST_PARSED = 5 << 20
MOST_TOKENS = 100_000
MOST_MEMORY = 64 << 20


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def chat(arguments: str) -> bytes:
    tool = f'{{"id":"a","type":"function","function":{{"name":"f","arguments":{arguments}}}}}'
    return f'{{"choices":[{{"message":{{"role":"assistant","tool_calls":[{tool}]}}}}]}}'.encode()


def asking(content: str, times: int = 1) -> bytes:
    message = f'{{"role":"user","content":{content}}}'
    return f'{{"model":"m","messages":[{",".join([message] * times)}]}}'.encode()


def stream(piece: str, times: int) -> bytes:
    return f'data: {{"choices":[{{"delta":{{"content":"{piece}"}}}}]}}\n\n'.encode() * times


NUMBERS = "1," * 800_000 + "1"
KEYS = ",".join(f'"{number}":1' for number in range(300_000))
DEEP = "[" * 1_000_000
BODIES: dict[str, Callable[[], tuple[bytes, bytes]]] = {
    "0.8 million arguments in a text": lambda: (asking('"hi"'), chat(f'"[{NUMBERS}]"')),
    "0.3 million arguments": lambda: (asking('"hi"'), chat(f"{{{KEYS}}}")),
    "50,000 calls of tools": lambda: (
        asking('"hi"'),
        chat('"{}"').replace(b"}}]}}]}", b"}}" + b',{"a":1}' * 50_000 + b"]}}]}"),
    ),
    "100,000 messages": lambda: (asking('"hi"', 100_000), b"{}"),
    "100,000 answers": lambda: (
        b"{}",
        b'{"output":[' + b'{"type":"message","content":"a"},' * 100_000 + b"{}]}",
    ),
    "deep": lambda: (asking(DEEP + DEEP.replace("[", "]")), DEEP.encode()),
    "deep and wide": lambda: (asking("[" * 60 + NUMBERS + "]" * 60), b"{}"),
    "without a space": lambda: (asking(f'"{"x" * 4_000_000}"'), asking('"' + '\\"' * 2_000_000 + '"')),
    "escapes": lambda: (asking('"' + "\\u00e9" * 600_000 + '"'), asking('"' + "é" * 2_000_000)),
    "a giant number": lambda: (asking(f'[{{"type":"x","n":-{"9" * 4_000_000}}}]'), b"9" * 4_000_000),
    "keys": lambda: (f"{{{KEYS}}}".encode(), f"{{{KEYS}}}".encode()),
    "a stream of crumbs": lambda: (asking('"hi"'), stream("y" * 40, 40_000)),
    "an event that is large": lambda: (asking('"hi"'), b"data: " + chat(f"[{NUMBERS}]") + b"\n\n"),
    "objects in lines": lambda: (b"{}", b'{"message":{"content":"a","tool_calls":[]}}\n' * 80_000),
    "texts without commas": lambda: (b'""' * 2_000_000, b'{"a"' + b'"b"' * 1_000_000),
    "spaces": lambda: (b" " * 4_000_000, b"\n" * 4_000_000),
    "no JSON at all": lambda: (b"\x00\xff" * 2_000_000, b"\\" * 4_000_000),
}


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[bytes | str]:
    """What the parser is given: it holds the interpreter's lock from the first byte to the last."""
    given: list[bytes | str] = []
    for module in (abridged, indented, bodies):
        loads = module.loads

        def noting(data: bytes | str, loads: Callable[..., Any] = loads) -> Any:
            given.append(data)
            return loads(data)

        monkeypatch.setattr(module, "loads", noting)
    return given


async def opened(call: Call, tab: str = "pretty") -> Page:
    return await get(make_site(MemoryStore([call]), now=NOON + 5), "calls", sel=call.id, tab=tab)


@pytest.mark.parametrize("name", BODIES)
async def test_a_drawer_is_bounded_and_the_whole_can_be_had(name: str, parsed: list[bytes | str]) -> None:
    request, response = BODIES[name]()
    call = make_call(host="api.openai.com", body=Body(request=request, response=response))
    for tab in ("pretty", "request", "response"):
        page = await opened(call, tab)
        assert page.status == 200
        assert len(page.body) < MOST_HTML
    for of, content in (("request", request), ("response", response)):
        (link,) = re.findall(rf'href="(body\?of={of}[^"]*)"', page.body.decode())
        whole = await get(make_site(MemoryStore([call])), "body", of=of, id=call.id)
        assert whole.body == content
        assert f"id={call.id}" in link
    for text in parsed:
        data = text.encode("utf-8", "replace") if isinstance(text, str) else text
        assert len(data) < MOST_PARSED
        assert len(re.findall(rb'"(?:[^"\\]|\\.)*+"|[\[{,]', data)) < MOST_TOKENS


@pytest.mark.parametrize("api", [*FORMATS, "unknown", "bedrock.invoke", "sagemaker.invoke"])
async def test_each_format_bounds_what_it_lays_out(api: str) -> None:
    many = '{"role":"user","type":"message","content":[{"type":"text","text":"hi"}],"parts":[{"text":"a"}]},'
    fields = ("messages", "input", "contents", "choices", "output", "candidates", "content", "prompt")
    body = "{" + ",".join(f'"{name}":[{many * 900}{{}}]' for name in fields) + "}"
    crumbs = json.dumps(
        {
            "choices": [{"delta": {"content": "x" * 40, "tool_calls": [{"function": {"arguments": "y"}}]}}],
            "type": "content_block_delta",
            "delta": {"text": "x" * 40, "toolUse": {"input": "y"}, "message": {"content": {"text": "x"}}},
            "contentBlockIndex": 1,
            "message": {"content": "x" * 40},
            "candidates": [{"content": {"parts": [{"text": "x" * 40}]}}],
        }
    )
    for response in (body.encode(), f"data: {crumbs}\n\n".encode() * 3_000):
        page = await opened(make_call(api=api, body=Body(request=body.encode(), response=response)))
        assert page.status == 200
        assert len(page.body) < MOST_HTML


async def test_what_is_left_out_is_said() -> None:
    call = make_call(body=Body(request=asking('"hi"', 1000), response=asking('"ho"')))
    assert "900 messages more" in (await opened(call)).body.decode()
    call = make_call(body=Body(request=asking('"hi"', 100_000), response=b"{}"))
    assert "the end is missing here" in (await opened(call)).body.decode()
    call = make_call(body=Body(request=asking(f'"{"x" * 100_000}"'), response=b"{}"))
    assert re.search(r"x… \[8\d{4} bytes more\]", (await opened(call)).body.decode())


async def test_an_ordinary_conversation_is_whole() -> None:
    words = [{"role": "user", "content": f"number {number}, 'so' \"said\""} for number in range(60)]
    call = make_call(body=Body(request=json.dumps({"messages": words}).encode(), response=b"{}"))
    page = (await opened(call)).body.decode()
    for number in range(60):
        assert f"number {number}, &#x27;so&#x27; &quot;said&quot;" in page
    assert "messages more" not in page
    assert "missing" not in page


async def test_nothing_else_is_taken_for_a_body() -> None:
    site = make_site(MemoryStore([make_call(id="x", body=Body(request=b"asked", response=None))]))
    for params in (
        {"of": "__class__", "id": "x"},
        {"of": "response", "id": "x"},
        {"id": "x"},
        {"of": "request"},
    ):
        assert (await get(site, "body", **params)).status == 404
    page = await get(site, "body", of="request", id="x")
    headers = dict(page.headers)
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Content-Disposition"] == 'attachment; filename="x-request.json"'


HOSTILE = {
    "usage_raw": ["[" * 3_000_000, '{"a":' + "9" * 5_000_000 + "}", "[" * 900 + "]" * 900, "x" * 5_000_000],
    "rate_limit": ["[" * 1_000_000, f"{{{KEYS}}}", "9" * 1_000_000, '{"x-ratelimit-limit-a":[[[]]]}'],
    "tags": ["[" * 1_000_000, f"{{{KEYS}}}", "[1,2]", "9" * 1_000_000, '{"a":{"b":1}}', "{", '"x"'],
    "error_message": ["x" * 5_000_000],
    "sdk": ["s" * 5_000_000],
}


@pytest.fixture
async def hostile(database: Path) -> Path:
    """What another hand has written: columns that hold anything, and kilobytes that become megabytes."""
    store = both(SQLiteStore(f"sqlite+aiosqlite:///{database}"))
    await store.open()
    rows = [(name, value) for name, values in HOSTILE.items() for value in values]
    calls = [
        make_call(timestamp=NOON + n, body=Body(request=b"a", response=b"b")) for n in range(len(rows) + 2)
    ]
    await store.add(Batch(calls=calls))
    await store.close()
    packer = zlib.compressobj(9)
    bomb = b"".join(packer.compress(b"\0" * (1 << 20)) for _ in range(150)) + packer.flush()
    with sqlite3.connect(database) as connection:
        for call, (name, value) in zip(calls, rows, strict=False):
            connection.execute(f"UPDATE llm_calls SET {name} = ? WHERE id = ?", (value, call.id))
        for call, body in ((calls[-1], bomb), (calls[-2], b"no zlib")):
            connection.execute("UPDATE llm_bodies SET response = ? WHERE call_id = ?", (body, call.id))
    connection.close()
    return database


async def test_rows_of_another_hand_break_no_page(hostile: Path) -> None:
    store = both(SQLiteStore(f"sqlite+aiosqlite:///{hostile}", read_only=True))
    await store.open()
    site = make_site(store, now=NOON + 100)
    page = await get(site, "calls", range="1h")
    ids = re.findall(r'id="c-([0-9a-f-]+)"', page.body.decode())
    assert len(ids) == 19
    tracemalloc.start()
    for id_ in ids:
        shown = await get(site, "calls", sel=id_, range="1h")
        assert shown.status == 200
        assert len(shown.body) < MOST_HTML
    for name, of in (("export.csv", "calls"), ("export.json", "calls"), ("export.json", "errors")):
        assert (await get(site, name, of=of, range="1h")).status == 200
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MOST_MEMORY
    assert len((await get(site, "body", of="response", id=ids[0])).body) < LARGEST_BODY + 200
    assert "cannot be read" in (await get(site, "body", of="response", id=ids[1])).body.decode()
    await store.close()


@pytest.mark.parametrize("form", ["csv", "jsonl"])
async def test_an_export_needs_little_memory_whatever_the_rows(
    hostile: Path, form: str, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    command = ["export", "--format", form, "--with-content", "--database", str(hostile), "--out", str(out)]
    done = await anyio.run_process(
        ["sh", "-c", 'ulimit -d 140000; exec "$@"', "sh", sys.executable, "-m", "miharu", *command],
        check=False,
    )
    assert done.returncode == 0, done.stderr
    text = out.read_text()
    assert "larger than any that is kept" in text
    if form == "jsonl":
        assert len([json.loads(line) for line in text.splitlines()]) == 19


async def test_what_a_recorder_keeps_is_read_whole() -> None:
    assert KEPT_CONTENT <= LARGEST_BODY
