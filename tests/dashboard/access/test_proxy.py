"""What shows that a proxy stands in front, and what does not."""

from typing import Any

import pytest

from miharu.dashboard.access.proxy import Latch


def closed(headers: dict[str, str] | None = None, **scope: Any) -> bool:
    latch = Latch()
    raw = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    latch.look({"type": "http", "http_version": "1.1", "headers": raw} | scope)
    return latch.closed


@pytest.mark.parametrize(
    "name",
    [
        *("forwarded", "via", "x-real-ip", "x-forwarded-for", "x-forwarded-proto", "X-Forwarded-Host"),
        *("x-client-ip", "x-original-forwarded-for", "true-client-ip", "cf-connecting-ip", "cdn-loop"),
    ],
)
def test_a_header_of_a_proxy(name: str) -> None:
    assert closed({"host": "localhost", name: "1.2.3.4"})


def test_a_followed_link_that_came_through_a_proxy() -> None:
    """No page can put a header on that; so it is the proxy's."""
    followed = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert closed({"host": "localhost", "x-forwarded-for": "1.2.3.4"} | followed)


@pytest.mark.parametrize("version", ["1.0", "1", "0.9"])
def test_http_that_no_browser_speaks(version: str) -> None:
    """granian says ``1`` for HTTP/1.0, which is what an old nginx speaks to its upstream."""
    assert closed(http_version=version)


@pytest.mark.parametrize("version", ["1.1", "2", "3"])
def test_the_http_of_browsers_shows_nothing(version: str) -> None:
    assert not closed(http_version=version)


@pytest.mark.parametrize(
    "told",
    [
        {"referer": "https://llm.example/chat"},
        {"origin": "https://llm.example"},
        {"referer": "http://192.168.1.7:8000/"},
        {"referer": "https://llm.example/", "origin": "http://["},
    ],
)
def test_a_browser_that_sees_another_address(told: dict[str, str]) -> None:
    """nginx puts the upstream's name for Host unless told otherwise."""
    assert closed({"host": "127.0.0.1:8000", "sec-fetch-site": "same-origin"} | told)


@pytest.mark.parametrize(
    "told",
    [
        {"referer": "http://127.0.0.1:8000/chat", "sec-fetch-site": "same-origin"},
        {"referer": "http://localhost:5173/", "sec-fetch-site": "same-origin"},  # a front end's own server
        {"referer": "https://llm.example/chat", "sec-fetch-site": "cross-site"},  # a link that was followed
        {"referer": "https://llm.example/chat"},
        {"referer": "http://[", "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "same-origin"},
        {"x-forwarding": "1", "viable": "1"},
        # a stranger's page that a permissive host lets send what it likes
        {"x-forwarded-for": "1.2.3.4", "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"},
        {"via": "1.1 a", "sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors"},
    ],
)
def test_what_a_local_browser_sends_shows_nothing(told: dict[str, str]) -> None:
    assert not closed({"host": "127.0.0.1:8000"} | told)


def test_it_stays_closed() -> None:
    latch = Latch()
    latch.look({"headers": [(b"via", b"1.1 a")]})
    latch.look({"headers": []})
    assert latch.closed
