import re
import subprocess
import sys
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from itertools import count
from urllib.parse import parse_qsl

import pytest

from miharu.batch import Batch
from miharu.dashboard.http.headers import SECURITY
from miharu.dashboard.http.page import Page, PageRequest, Site
from miharu.dashboard.routes import PATHS, respond
from miharu.errors import StoreError
from miharu.stores.base import Query

from .conftest import NOW, Ask, get, make_site
from .memory import MemoryStore
from .population import population
from .traffic import HOSTILE, traffic

pytestmark = pytest.mark.anyio


@cache
def everything() -> Batch:
    return population(NOW, days=1, busy=0.3)


@pytest.fixture
def store() -> MemoryStore:
    """Two days of everything, some of it hostile."""
    store = MemoryStore(traffic(NOW, calls=600, days=2))
    store.kept |= {call.id: call for call in everything().calls}
    store.kept_spans.extend(everything().spans)
    store.kept_scores.extend(everything().scores)
    return store


FRAGMENTS = [path for path in PATHS if "-" in path]
FILES = [path for path in PATHS if "." in path or path in {"healthz", "metrics"}]
PAGES = [path for path in PATHS if path not in FILES]
LINKS = ("href", "src", "action", "hx-get")


class Html(HTMLParser):
    def __init__(self, page: Page) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.feed(page.body.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_of_one_moment(path: str, store: MemoryStore) -> None:
    """Its parts would else divide different times, where an hour begins while it is made."""
    hours = count()
    site = replace(make_site(store), clock=lambda: NOW + next(hours) * 3_600_000)
    assert (await get(site, path)).status in {200, 400, 404}
    assert next(hours) <= 2


async def every_page(site: Site, store: MemoryStore) -> list[Page]:
    failed = next(call for call in store.kept.values() if call.outcome.error_message == HOSTILE)
    traced = next(call for call in store.kept.values() if call.trace_id and call.body)
    session = str(traced.session_id)
    return [
        *[await get(site, path, range="7d") for path in PAGES],
        await get(site, "calls", sel=failed.id),
        await get(site, "calls", sel=traced.id),
        await get(site, "calls", sel=traced.id, tab="request"),
        await get(site, "calls", sel=traced.id, tab="text"),
        await get(site, "calls", sel="nobody"),
        await get(site, "pair", a=traced.id, b=failed.id, show="all", lay="below"),
        await get(site, "pair", a=traced.id),
        await get(site, "pair", a="nobody", b=failed.id),
        await get(site, "calls", sort="-cost"),
        await get(site, "live", sel=traced.id),
        await get(site, "routes", route="POST /agents/{name}/run"),
        await get(site, "sessions", session=session, sel=traced.id),
        await get(site, "sessions", session="nobody"),
        await get(site, "compare", by="user", against="week"),
        await get(site, "find", q='"><em>'),
        await get(site, "", by="route", measure="tokens", model='"><em>', range="7d"),
        await get(site, "", start="2026-11-23T03:00Z", end="2026-11-23T05:00Z"),
        *[await get(make_site(MemoryStore()), path) for path in PAGES],
        await get(make_site(store, losses=3)),
        await get(site, "no/such/page"),
    ]


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        *((path, method, 200) for path in PATHS for method in ("GET", "HEAD")),
        ("body", "GET", 404),
        ("media", "GET", 404),
        ("static/app.css", "GET", 200),
        ("static/app.css", "HEAD", 200),
        ("static/htmx-4.0.1.min.js", "GET", 200),
        ("static/nothing.js", "GET", 404),
        ("static/../templates/base.html", "GET", 404),
        ("static/vendor/LICENSES.txt", "GET", 404),
        ("static/", "GET", 404),
        ("static", "GET", 404),
        ("nothing", "GET", 404),
        ("calls/", "GET", 404),
        ("", "POST", 405),
        ("calls", "DELETE", 405),
        ("nothing", "OPTIONS", 405),
    ],
)
async def test_answers_with_all_headers(site: Site, path: str, method: str, status: int) -> None:
    page = await get(site, path, method=method)
    headers = dict(page.headers)
    assert page.status == status
    assert set(SECURITY) <= set(page.headers)
    assert len(headers) == len(page.headers)
    assert headers["Cache-Control"]
    assert headers.get("Allow") == ("GET, HEAD" if status == 405 else None)
    if method == "HEAD":
        assert page.body == b""
        assert int(headers["Content-Length"]) > 0
    else:
        assert int(headers["Content-Length"]) == len(page.body) > 0


async def test_never_lets_a_page_be_cached(site: Site) -> None:
    for path in (*PATHS, "nothing"):
        assert dict((await get(site, path)).headers)["Cache-Control"] == "no-store"


async def test_writes_nothing_that_the_policy_forbids(site: Site, store: MemoryStore) -> None:
    for page in await every_page(site, store):
        for tag, attributes in Html(page).tags:
            assert tag not in {"style", "base", "iframe", "object"}
            assert not [
                name for name in attributes if name == "style" or name.startswith(("on", "hx-on", "hx-vals"))
            ]
            assert not [value for value in attributes.values() if value.startswith(("js:", "javascript:"))]
            if tag == "script":
                assert attributes.get("type") == "application/json" or attributes["src"]


async def test_no_button_stands_in_a_link(site: Site, store: MemoryStore) -> None:
    for page in await every_page(site, store):
        for link in re.findall(r"<a [^>]*>(.*?)</a>", page.body.decode(), re.DOTALL):
            assert "<button" not in link
            assert "<a " not in link


async def test_each_reason_stands_once_on_the_page_that_has_its_button(
    site: Site, store: MemoryStore
) -> None:
    opened = 0
    for page in await every_page(site, store):
        tags = Html(page).tags
        ids = [attributes["id"] for _, attributes in tags if "popover" in attributes]
        assert len(ids) == len(set(ids))
        asked = {attributes["popovertarget"] for _, attributes in tags if "popovertarget" in attributes}
        assert asked == set(ids)
        opened += len(asked)
    assert opened > 50


async def test_links_only_relatively_and_only_to_what_is_there(site: Site, store: MemoryStore) -> None:
    for page in await every_page(site, store):
        for tag, attributes in Html(page).tags:
            for link in (attributes[name] for name in LINKS if name in attributes):
                target = link.partition("?")[0].partition("#")[0]
                assert not re.match(r"/|[a-z]+:", link), (tag, link)
                known = target.lstrip("./") in PATHS or link.startswith("#")
                asked = dict(parse_qsl(link.partition("?")[2]))
                assert known or (await get(site, target.replace("../", ""), **asked)).status == 200, link


async def test_is_marked_up_for_whoever_cannot_see_it(site: Site, store: MemoryStore) -> None:
    """Every heading of a table has a scope, every field a name, every picture is named or hidden."""
    for page in await every_page(site, store):
        tags = Html(page).tags
        ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
        assert len(ids) == len(set(ids))
        for tag, attributes in tags:
            if tag == "th":
                assert attributes.get("scope"), attributes
            if tag == "svg":
                assert "aria-hidden" in attributes
            if tag in {"nav", "aside", "figure"}:
                assert attributes.get("aria-label")
            if tag == "section" and "aria-labelledby" in attributes:
                assert attributes["aria-labelledby"] in ids
            if "aria-hidden" in attributes:
                assert "aria-label" not in attributes


async def test_shows_stored_text_as_text(site: Site, store: MemoryStore) -> None:
    for page in await every_page(site, store):
        assert b"<script>alert" not in page.body
        assert b'"><em>' not in page.body


async def test_carries_the_policy_on_an_unchanged_fragment(ask: Ask) -> None:
    for path in FRAGMENTS:
        first = await ask(path)
        again = await ask(path, ptag=dict(first.headers)["HX-PTag"])
        assert again.status == 304
        assert again.body == b""
        assert set(SECURITY) <= set(again.headers)
        assert "Content-Type" not in dict(again.headers)


async def test_says_so_when_the_store_cannot_be_read(store: MemoryStore) -> None:
    class Broken(MemoryStore):
        async def revision(self) -> int:
            raise StoreError("calls.db: <locked>")

    page = await get(make_site(Broken()))
    assert page.status == 503
    assert b"calls.db: &lt;locked&gt;" in page.body
    assert set(SECURITY) <= set(page.headers)


async def test_turns_a_mistake_of_ours_into_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(MemoryStore):
        async def revision(self) -> int:
            raise KeyError("secret")

    monkeypatch.delenv("MIHARU_UNGUARDED")
    page = await get(make_site(Broken()))
    assert page.status == 500
    assert b"secret" not in page.body
    assert set(SECURITY) <= set(page.headers)


async def test_ignores_what_it_does_not_understand(ask: Ask) -> None:
    plain = await ask()
    odd = await ask(range="1000y", status="<b>", measure="x", by="y", model="a\0b", route="x" * 10_000)
    assert odd.body == plain.body


async def test_answers_a_lone_surrogate(site: Site) -> None:
    page = await respond(PageRequest(path="", params={"model": "\ud800"}), site)
    assert page.status == 200


async def test_knows_every_call_of_the_window(store: MemoryStore) -> None:
    query = Query(start=0, end=NOW + 1)
    assert (await store.totals(query)).calls == len(store.kept)


def test_loads_no_template_engine_until_the_first_page() -> None:
    code = (
        "import sys, miharu.dashboard.routes; print({'jinja2', 'markupsafe', 'litestar'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"


async def test_says_what_takes_one_value(site: Site) -> None:
    for path in PATHS:
        for name in ("range", "q", "sort"):
            request = PageRequest(path=path, params={name: "<b>"}, repeated={name: ["a", "<b>"]})
            page = await respond(request, site)
            assert page.status == 400
            assert f"{name} is given several values; it takes one." in page.body.decode()
        for name in ("x", "model", "user"):
            harmless = PageRequest(path=path, params={name: "1"}, repeated={name: ["0", "1"]})
            assert (await respond(harmless, site)).status == 200
