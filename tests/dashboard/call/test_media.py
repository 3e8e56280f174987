"""Pictures and sounds of a body: shown by their own bytes, and nothing else is."""

import json
import struct
import zlib
from base64 import b64encode
from dataclasses import replace
from typing import Any

import pytest

from miharu.call import Body, Call, Outcome
from miharu.dashboard.call.media import Finder, kept_at
from miharu.providers.messages import media
from tests.dashboard.conftest import NOW, get, make_site
from tests.dashboard.memory import MemoryStore


def png(width: int = 60, height: int = 40, color: int = 7) -> bytes:
    raw = b"".join(b"\0" + bytes((x * y + color) % 256 for x in range(3 * width)) for y in range(height))

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(raw, 0))
        + chunk(b"IEND", b"")
    )


WAV = (
    b"RIFF"
    + struct.pack("<I", 136)
    + b"WAVEfmt "
    + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8)
    + b"data"
    + struct.pack("<I", 100)
    + bytes(100)
)
SVG = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'></svg>" + b" " * 100
PAGE = b"<!doctype html><script>alert(1)</script>" + b" " * 100
SHORT = b64encode(png()[:30]).decode()


def url(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{b64encode(content).decode()}"


def call_with(*sources: dict[str, Any]) -> Call:
    request = {"model": "gpt-6", "messages": [{"role": "user", "content": list(sources)}]}
    return Call(
        id="c-1",
        timestamp=NOW - 1000,
        api="openai.chat",
        model="gpt-6",
        outcome=Outcome(status="success", http_status=200),
        body=Body(request=json.dumps(request).encode(), response=b'{"choices": []}'),
    )


def picture(address: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": address}}


async def links_of(call: Call) -> tuple[Any, list[str]]:
    site = make_site(MemoryStore([call]))
    page = (await get(site, "calls", sel=call.id)).body.decode()
    return site, [part.partition('"')[0].replace("&amp;", "&") for part in page.split('src="media?')[1:]]


async def served(site: Any, link: str) -> Any:
    return await get(site, "media", **dict(pair.split("=") for pair in link.split("&")))


pytestmark = pytest.mark.anyio


async def test_a_picture_and_a_sound_are_shown_as_they_are() -> None:
    sound = {"type": "input_audio", "input_audio": {"data": b64encode(WAV).decode(), "format": "wav"}}
    site, links = await links_of(call_with(picture(url("image/png", png())), sound))
    first, second = [await served(site, link) for link in links]
    assert (first.body, second.body) == (png(), WAV)
    headers = dict(first.headers)
    assert headers["Content-Type"] == "image/png"
    assert dict(second.headers)["Content-Type"] == "audio/wav"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'; sandbox"
    assert headers["Cache-Control"] == "no-store"
    assert len(headers) == len(first.headers)


async def test_two_that_begin_alike_are_two() -> None:
    one, other = png(color=7), png(color=7)[:-30] + bytes(30)
    site, links = await links_of(call_with(picture(url("image/png", one)), picture(url("image/png", other))))
    assert [(await served(site, link)).body for link in links] == [one, other]


async def test_a_large_one_whose_text_is_cut_is_found_whole() -> None:
    large = png(300, 200)
    assert len(large) > 100_000
    site, links = await links_of(call_with(picture(url("image/png", large))))
    assert [(await served(site, link)).body for link in links] == [large]


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("image/svg+xml", SVG),
        ("image/png", SVG),
        ("text/html", PAGE),
        ("image/png", PAGE),
        ("application/pdf", b"%PDF-1.7" + bytes(200)),
        ("image/png", png(1000, 400)),
    ],
    ids=["vector", "vector as a picture", "page", "page as a picture", "document", "too large"],
)
async def test_nothing_else_is(kind: str, content: bytes) -> None:
    site, links = await links_of(call_with(picture(url(kind, content))))
    assert links == []
    body = call_with(picture(url(kind, content))).body
    assert body is not None
    assert body.request is not None
    start = body.request.index(b"base64,") + 7
    answer = await get(site, "media", of="request", id="c-1", at=str(start))
    assert answer.status == 404
    assert dict(answer.headers)["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("at", ["", "-1", "x", "9" * 11, "1" * 40, "٣", "0"])
async def test_another_place_is_not_there(at: str) -> None:
    site = make_site(MemoryStore([call_with(picture(url("image/png", png())))]))
    for of in ("request", "response", "nothing"):
        assert (await get(site, "media", of=of, id="c-1", at=at)).status == 404
    assert (await get(site, "media", of="request", id="nobody", at="1")).status == 404


def test_a_picture_says_its_size_and_where_it_begins() -> None:
    part = media("image", url("image/png", png()))
    assert part.text.startswith("[image/png, 7")
    assert part.data == b64encode(png()).decode()[:160]
    assert media("image", "https://example.com/a.png").data == ""


def test_each_call_is_searched_a_bounded_number_of_times() -> None:
    call = call_with(*(picture(url("image/png", png(color=n))) for n in range(60)))
    finder = Finder(call)
    found = [finder.find(media("image", url("image/png", png(color=n))).data) for n in range(60)]
    assert sum(one is not None for one in found) == 40
    assert Finder(replace(call, body=None)).find("x" * 64) is None


def test_a_run_that_is_not_base64_to_its_end_is_nothing() -> None:
    content = b64encode(png())
    assert kept_at(b'"' + content + b'"', 1) is not None
    assert kept_at(b'"' + content + b'*"', 1) is None
    assert kept_at(b'"' + content[:-9], 1) is None
