"""A page of another site in a visitor's browser, beside a host that lets every site read it."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.security.conftest import LOCK, ONE_DOOR, OpenDoor
from tests.security.world import DOORS, SECRET, ask

pytestmark = pytest.mark.browser
ATTACK = Path(__file__).with_name("attack.js").read_text()
CASES = [
    pytest.param(
        name,
        mode,
        site,
        marks=[] if (name, mode, site) == ("mount", "off", "evil.example") else pytest.mark.full,
    )
    for name in DOORS
    for mode in ("auto", "off")
    for site in ("evil.example", "127.0.0.1", "localhost")
]
FRAME = """([kind, source, url]) => {
    document.body.append(Object.assign(document.createElement(kind), {[source]: url}));
}"""
HARMLESS = {"fetch", "its headers"}


class Stranger(ThreadingHTTPServer):
    """A site of its own, that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        super().__init__(("127.0.0.1", 0), Page)


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Stranger)
        self.server.told.append(f"{self.path}\n{self.headers}")
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>stranger</title><body>")

    def log_message(self, format: str, *arguments: object) -> None: ...


@pytest.fixture(scope="module")
def stranger() -> Iterator[Stranger]:
    with Stranger() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def tab(browser: Any) -> Iterator[Any]:
    context = browser.new_context(reduced_motion="reduce")
    yield context.new_page()
    context.close()


def kept(read: dict[str, str]) -> bool:
    return not any(SECRET in text for text in read.values())


@pytest.mark.parametrize(("name", "mode", "site"), CASES)
def test_it_reads_nothing_in_any_way(
    name: str, mode: str, site: str, tab: Any, stranger: Stranger, door_of: OpenDoor
) -> None:
    """Across sites, and (127.0.0.1) only across ports."""
    door = door_of(name, MIHARU_AUTH=mode)
    tab.goto(f"http://{site}:{stranger.server_port}/")
    if name != "standalone":
        host = tab.evaluate(ATTACK, f"{door.address}/hello")
        assert host["fetch"].startswith("cookies:"), host  # the host lets itself be read
    for path in ("calls", "export.json", *(["api/calls"] if name == "standalone" else [])):
        assert ask(door, path).tells
        read = tab.evaluate(ATTACK, door.url + path)
        assert kept(read), read
        assert {"fetch", "frame", "script", "window"} <= set(read)
        told = {how for how, text in read.items() if text and how not in HARMLESS}
        assert not told & {"script", "module", "worker", "WebSocket", "stylesheet", "image"}, read
        assert not read["frames of a window"], read
    if name != "standalone":
        assert kept(tab.evaluate(ATTACK, f"{door.address}/onward?to=/miharu/calls"))


@pytest.mark.parametrize("name", ONE_DOOR)
def test_it_reads_nothing_with_a_visitors_cookie(
    name: str, tab: Any, stranger: Stranger, door_of: OpenDoor
) -> None:
    door = door_of(name, MIHARU_TOKEN=LOCK)
    tab.goto(f"{door.url}?token={LOCK}")
    assert SECRET in tab.content()
    for site in ("evil.example", "127.0.0.1"):
        tab.goto(f"http://{site}:{stranger.server_port}/")
        read = tab.evaluate(ATTACK, f"{door.url}calls")
        assert kept(read), read


@pytest.mark.parametrize("mode", ["auto", "off"])
@pytest.mark.parametrize("name", ONE_DOOR)
def test_a_name_of_its_own_for_this_machine_helps_it_nothing(
    name: str, mode: str, tab: Any, door_of: OpenDoor
) -> None:
    """DNS rebinding: the page and the dashboard are one origin now; it could read and say what it likes."""
    door = door_of(name, MIHARU_AUTH=mode)
    tab.goto(f"http://evil.example:{door.port}{door.at}")
    assert SECRET not in tab.content()
    forged = "{'x-forwarded-for': '127.0.0.1', 'x-forwarded-host': 'localhost', forwarded: 'host=localhost'}"
    for options in ("{}", f"{{headers: {forged}}}", "{credentials: 'include'}"):
        for path in ("", "calls", "export.json", "api/calls"):
            url = f"{door.at}{path}"
            text = tab.evaluate(f"fetch('{url}', {options}).then(answer => answer.text())")
            assert SECRET not in text


@pytest.mark.parametrize("name", ["mount", "middleware"])
def test_no_page_frames_it_the_hosts_neither(name: str, tab: Any, door_of: OpenDoor) -> None:
    door = door_of(name, MIHARU_AUTH="off")
    tab.goto(f"{door.address}/framing")
    assert len(tab.frames) == 2
    for frame in tab.frames:
        assert SECRET not in frame.content()


@pytest.mark.parametrize("name", ONE_DOOR)
def test_a_stranger_does_not_frame_it_to_have_it_clicked(
    name: str, tab: Any, stranger: Stranger, door_of: OpenDoor
) -> None:
    url = f"{door_of(name, MIHARU_AUTH='off').url}calls"
    tab.goto(f"http://evil.example:{stranger.server_port}/")
    for kind, source in (("iframe", "src"), ("object", "data"), ("embed", "src")):
        with tab.expect_response(url) as answer:
            tab.evaluate(FRAME, [kind, source, url])
        assert answer.value.status == 403, kind


@pytest.mark.parametrize("name", ONE_DOOR)
def test_a_cookie_that_a_sibling_site_has_tossed_locks_nobody_out(
    name: str, tab: Any, stranger: Stranger, door_of: OpenDoor
) -> None:
    """A site may set cookies for all of its domain, with a longer path than ours, so that they come first."""
    door = door_of(name, MIHARU_TOKEN=LOCK)
    home = f"http://app.shop.example:{door.port}{door.at}"
    tab.goto(f"{home}?token={LOCK}")
    (cookie,) = tab.context.cookies(home)
    tab.goto(f"http://evil.shop.example:{stranger.server_port}/")
    for path in (f"{door.at}calls", door.at, "/"):
        tab.evaluate(
            "text => { document.cookie = text }", f"{cookie['name']}=tossed; domain=shop.example; path={path}"
        )
    assert len(tab.context.cookies(f"{home}calls")) > 2
    tab.goto(f"{home}calls")
    assert SECRET in tab.content()


@pytest.mark.parametrize("name", ONE_DOOR)
def test_a_link_on_another_site_may_be_followed(
    name: str, tab: Any, stranger: Stranger, door_of: OpenDoor
) -> None:
    """And the link with the token, from a log viewer or a chat, leads in."""
    tab.goto(f"http://evil.example:{stranger.server_port}/")
    tab.evaluate("url => { location = url }", f"{door_of(name, MIHARU_AUTH='off').url}calls")
    tab.wait_for_url("**/calls")
    assert SECRET in tab.content()
    door = door_of(name, MIHARU_TOKEN=LOCK)
    tab.goto(f"http://evil.example:{stranger.server_port}/")
    tab.evaluate("url => { location = url }", f"{door.url}?token={LOCK}")
    tab.wait_for_url(door.url)
    assert SECRET in tab.content()


@pytest.mark.parametrize("name", ONE_DOOR)
def test_the_token_goes_nowhere_else(name: str, tab: Any, stranger: Stranger, door_of: OpenDoor) -> None:
    """Neither to the next page nor to the scripts of this one, nor to the host's own pages."""
    door = door_of(name, MIHARU_TOKEN=LOCK)
    stranger.told.clear()
    for last in (f"?token={LOCK}", "?token=wrong", "calls"):
        tab.goto(door.url + last)
        assert LOCK not in tab.url
        assert tab.evaluate("document.cookie") == ""
        assert LOCK not in tab.content()
        tab.evaluate("url => { location = url }", f"http://evil.example:{stranger.server_port}/next")
        tab.wait_for_url("**/next")
        assert tab.evaluate("document.referrer") == ""
    assert stranger.told
    assert not [told for told in stranger.told if "miharu" in told.lower() or "token" in told or LOCK in told]
    if name != "standalone":
        tab.goto(f"{door.address}/hello")
        assert tab.inner_text("body") == "cookies: none"
