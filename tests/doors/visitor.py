"""What a browser does with the dashboard, and what it does with the host beside it: one function each."""

import re
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urljoin, urlsplit

import httpx2

from miharu.dashboard.routes import PATHS

__all__ = ("DASHBOARD", "HOST", "client", "polling", "visit")

SECURITY = ("content-security-policy", "x-content-type-options", "referrer-policy", "cache-control")
_LINKS = re.compile(r'(?:src|href)="([^"#]+)"')


def client(http2: bool = False) -> httpx2.Client:
    """A client that keeps its connections, as a browser does."""
    return httpx2.Client(http1=not http2, http2=http2, trust_env=False, timeout=60)  # of a busy machine, too


def pages(browser: httpx2.Client, at: str) -> None:
    """Every page, part and file answers, with what keeps strangers out, and its links lead somewhere."""
    links: dict[str, str] = {}
    for path in PATHS:
        page = browser.get(f"{at}/{path}")
        assert page.status_code == 200, (path, page.status_code)
        assert not [name for name in SECURITY if name not in page.headers], path
        assert "set-cookie" not in page.headers
        if "text/html" in page.headers["content-type"]:
            found = (urljoin(str(page.url), link.replace("&amp;", "&")) for link in _LINKS.findall(page.text))
            links |= {urlsplit(link).path: link for link in found}
    assert any("/static/" in path for path in links)
    for path, link in links.items():
        assert link.startswith(f"{at}/"), link
        if path.removeprefix(urlsplit(at).path + "/") not in PATHS:
            answer = browser.get(link)
            assert answer.status_code == 200, link
            assert "/static/" not in link or "immutable" in answer.headers["cache-control"], link


def slash(browser: httpx2.Client, at: str) -> None:
    """The address without its slash arrives at the page, with its query."""
    answer = browser.get(f"{at}?range=7d", follow_redirects=True)
    assert (answer.status_code, str(answer.url)) == (200, f"{at}/?range=7d")
    assert 1 <= len(answer.history) <= 2


def head(browser: httpx2.Client, at: str) -> None:
    """HEAD is GET without its body, and the connection is good for more."""
    for path in (*PATHS[:3], "static/app.css", "nothing"):
        lengths: set[str | None] = set()
        for _ in range(5):  # a page that has a clock in it may be one letter longer a second later
            got, headed = browser.get(f"{at}/{path}"), browser.head(f"{at}/{path}")
            assert (headed.status_code, headed.content) == (got.status_code, b""), path
            lengths.add(got.headers.get("content-length"))
            if headed.headers.get("content-length") in lengths:
                break
        else:
            raise AssertionError(path)
    assert browser.get(f"{at}/").status_code == 200


def not_modified(browser: httpx2.Client, at: str) -> None:
    """A part that the page has already is not sent again, and the connection is good for more."""
    judged = 0
    for path in PATHS:
        if judged == 3:
            break
        first = browser.get(f"{at}/{path}", headers={"hx-request": "true"})
        if tag := first.headers.get("hx-ptag"):
            again = browser.get(f"{at}/{path}", headers={"hx-request": "true", "hx-ptag": tag})
            assert again.status_code in {200, 304}, path  # a running clock may have moved on
            assert (again.content == b"") == (again.status_code == 304)
            judged += again.status_code == 304
    assert judged


def errors(browser: httpx2.Client, at: str) -> None:
    """What is not there and what is not allowed is said by a page of ours."""
    for answer in (browser.get(f"{at}/nothing"), browser.get(f"{at}/static/nothing.css")):
        assert answer.status_code == 404
        assert not [name for name in SECURITY if name not in answer.headers]
    answer = browser.post(f"{at}/calls")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    assert not [name for name in SECURITY if name not in answer.headers]


def answers(browser: httpx2.Client, at: str) -> None:
    """The host's own page."""
    answer = browser.get(f"{at}/hello")
    assert (answer.status_code, answer.text) == (200, "hello")
    assert "content-security-policy" not in answer.headers


def streams(browser: httpx2.Client, at: str) -> None:
    """The host's stream comes piece by piece, and its other pages answer meanwhile."""
    with browser.stream("GET", f"{at}/stream") as streamed:
        pieces = streamed.iter_text()
        assert next(pieces) == "one\n"
        assert browser.get(f"{at}/release").text == "released"
        assert "".join(pieces) == "two\n"


def sockets(_: httpx2.Client, at: str) -> None:
    """The host's websocket."""
    from websockets.exceptions import ConnectionClosed
    from websockets.sync.client import connect

    with connect(f"{at.replace('http', 'ws', 1)}/ws", proxy=None) as socket:
        socket.send("echo?")
        assert socket.recv(timeout=20) == "echo?"
        # The host ends it, if its server lets it; when both do at once, hypercorn's trio worker dies of it.
        with suppress(ConnectionClosed, TimeoutError):
            socket.recv(timeout=3)


def untouched(browser: httpx2.Client, at: str) -> None:
    """No scope of the host's was changed and no logger; nothing of ours went wrong."""
    facts = browser.get(f"{at}/facts").json()
    assert (facts["scopes"], facts["loggers"], facts["errors"]) == ([], [], 0)


def lifespan(browser: httpx2.Client, at: str) -> None:
    """The host has started."""
    assert "lifespan.startup.complete" in browser.get(f"{at}/facts").json()["lifespan"]


Check = Callable[[httpx2.Client, str], None]
DASHBOARD: dict[str, Check] = {
    "pages": pages,
    "slash": slash,
    "HEAD": head,
    "304": not_modified,
    "errors": errors,
}
HOST: dict[str, Check] = {
    "host": answers,
    "stream": streams,
    "websocket": sockets,
    "untouched": untouched,
    "lifespan": lifespan,
}


def visit(checks: Iterable[str], address: str, at: str, *, http2: bool = False) -> dict[str, str]:
    """What went wrong, by check."""
    wrong = {}
    with client(http2) as browser:
        for name in checks:
            check, place = (DASHBOARD[name], address + at) if name in DASHBOARD else (HOST[name], address)
            try:
                check(browser, place)
            except (AssertionError, httpx2.HTTPError, KeyError, StopIteration):
                wrong[name] = traceback.format_exc()
    return wrong


@contextmanager
def polling(url: str, http2: bool) -> Iterator[None]:
    """A page that asks again and again over a connection it keeps, as long as somebody answers."""
    asked, over = threading.Event(), threading.Event()

    def poll(browser: httpx2.Client) -> None:
        tag: dict[str, str] = {}
        while not over.wait(0.1):
            try:
                answer = browser.get(url, headers={"hx-request": "true", **tag})
            except httpx2.HTTPError:
                browser.close()
                return
            tag = {"hx-ptag": answer.headers.get("hx-ptag", "")}
            asked.set()

    with client(http2) as browser, client() as idle:
        if not http2:  # a browser has one connection then, and closes it when it is told to go away
            idle.get(url)
        thread = threading.Thread(target=poll, args=(browser,))
        thread.start()
        try:
            assert asked.wait(60)
            yield
        finally:
            over.set()
            thread.join()
