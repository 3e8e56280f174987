import gzip

import pytest

from miharu.dashboard.http.compression import packed
from miharu.dashboard.http.headers import make_page
from miharu.dashboard.http.page import PageRequest, Site
from miharu.dashboard.routes import respond

LONG = make_page("miharu " * 1000)


def asked(accepted: str | None) -> PageRequest:
    return PageRequest(path="", headers={} if accepted is None else {"accept-encoding": accepted})


@pytest.mark.parametrize("accepted", ["gzip", "br, gzip", "deflate, GZIP;q=0.5", "gzip;q=1.0"])
def test_packs_for_whoever_unpacks(accepted: str) -> None:
    page = packed(LONG, asked(accepted))
    headers = dict(page.headers)
    assert headers["Content-Encoding"] == "gzip"
    assert headers["Vary"] == "Accept-Encoding"
    assert int(headers["Content-Length"]) == len(page.body) < len(LONG.body) / 10
    assert gzip.decompress(page.body) == LONG.body


@pytest.mark.parametrize("accepted", [None, "", "br", "identity", "gzip;q=0", "gzip; q=0.0, br", "xgzip"])
def test_leaves_it_as_it_is_for_the_others(accepted: str | None) -> None:
    page = packed(LONG, asked(accepted))
    assert page.body == LONG.body
    assert "Content-Encoding" not in dict(page.headers)
    assert dict(page.headers)["Vary"] == "Accept-Encoding"


def test_leaves_small_things_and_fonts_alone() -> None:
    for page in (
        make_page("short"),
        make_page(b"x" * 5000, content_type="font/woff2"),
        make_page(b"", status=304),
    ):
        assert packed(page, asked("gzip")) is page


def test_makes_the_same_bytes_each_time() -> None:
    assert packed(LONG, asked("gzip")) == packed(LONG, asked("gzip"))


@pytest.mark.anyio
async def test_says_the_packed_length_to_head(site: Site) -> None:
    headers = {"accept-encoding": "gzip"}
    whole = await respond(PageRequest(path="calls", headers=headers), site)
    head = await respond(PageRequest(path="calls", headers=headers, method="HEAD"), site)
    assert head.headers == whole.headers
    assert head.body == b""
