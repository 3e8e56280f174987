"""How many errors those have that a page lists: they stay with all their calls, or are left out."""

import json
import re
from html import unescape

import pytest

from miharu.call import Call, Cost, Outcome
from miharu.dashboard.address.view import View
from miharu.dashboard.http.page import Site
from miharu.testing.store_contract import make_call
from tests.dashboard.conftest import NOW, get, make_site
from tests.dashboard.memory import MemoryStore

pytestmark = pytest.mark.anyio
MINUTE = 60_000
FAILED = Outcome(status="error", http_status=500, error_type="server_error")


def of(name: str, calls: int, errors: int) -> list[Call]:
    return [
        make_call(
            timestamp=NOW - MINUTE * (number + 1),
            model=f"m-{name}",
            user_id=f"u-{name}",
            route=f"GET /{name}",
            session_id=f"s-{name}",
            prompt_name=f"p-{name}",
            prompt_hash=f"{name:0>12}",
            tags={"team": f"t-{name}"},
            cost=Cost(cost_nanousd=1_000_000, cost_source="test"),
            **({"outcome": FAILED} if number < errors else {}),
        )
        for number in range(calls)
    ]


CALLS = [*of("none", 9, 0), *of("one", 5, 1), *of("many", 4, 3)]


@pytest.fixture
def site() -> Site:
    return make_site(MemoryStore(CALLS))


async def listed(site: Site, path: str, q: str) -> set[str]:
    page = await get(site, path, q=q)
    assert page.status == 200
    rows = re.findall(r"<a [^>]*data-row[^>]*>(.*?)</a>", page.body.decode(), re.DOTALL)
    names = ["".join(re.sub("<[^>]+>", " ", row).split()) for row in rows]
    return {found[0] for name in names if (found := re.search(r"none|one|many", name))}


@pytest.mark.parametrize("path", ["users", "tags", "models", "routes", "prompts", "sessions"])
@pytest.mark.parametrize(
    ("q", "names"),
    [
        ("errors>0", {"one", "many"}),
        ("errors>1", {"many"}),
        ("errors:1", {"one"}),
        ("errors:0", {"none"}),
        ("errors<2", {"none", "one"}),
        ("errors>3", set()),
        ("errors>=1 errors<=1", {"one"}),
        ("errors>0 -user:u-one", {"many"}),
    ],
)
async def test_those_are_listed_that_have_so_many(site: Site, path: str, q: str, names: set[str]) -> None:
    assert await listed(site, path, q) == names


@pytest.mark.parametrize("path", ["users", "models", "routes", "prompts", "sessions"])
async def test_their_figures_are_of_all_their_calls(site: Site, path: str) -> None:
    document = json.loads((await get(site, "export.json", of=path, q="errors>1")).body)
    (row,) = document["rows"]
    assert (row["calls"], row["cost_usd"]) == (4, "0.004000000")
    assert document["filters"] == {"q": "errors>1"}
    html = (await get(site, path, q="errors>1")).body.decode()
    assert '<span class="mono">errors&gt;1</span>' in html
    assert "errors>1" not in (await get(site, path)).body.decode()


@pytest.mark.parametrize(
    ("q", "calls"), [("errors>0", 4), ("errors:0", 14), ("errors<9", 18), ("errors>5", 0)]
)
async def test_on_other_pages_it_is_about_single_calls(site: Site, q: str, calls: int) -> None:
    html = (await get(site, "calls", q=q)).body.decode()
    assert f'<h2 id="h-calls">{calls} calls</h2>' in html
    assert ("A single call fails once or not at all." in html) is (q == "errors>5")
    if not calls:
        assert 'href="users?q=errors%3E5"' in html
    document = json.loads((await get(site, "export.json", of="calls", q=q)).body)
    assert len(document["rows"]) == calls


async def test_what_it_is_about_on_other_pages_is_how_a_call_ended() -> None:
    assert View.read({"q": "errors>0 model:m-*"}).fields_asked == {"status", "model"}


async def test_links_of_the_page_keep_it(site: Site) -> None:
    html = unescape((await get(site, "users", q="errors>0")).body.decode())
    assert "users?sort=-calls&q=errors%3E0" in html
    assert "2 users" in html


async def test_sessions_are_looked_through_in_steps_that_end(monkeypatch: pytest.MonkeyPatch) -> None:
    from miharu.dashboard.pages import sessions

    monkeypatch.setattr(sessions, "_AT_ONCE", 2)
    monkeypatch.setattr(sessions, "_LOOKED_THROUGH", 6)
    store = MemoryStore(
        make_call(
            timestamp=NOW - MINUTE * number,
            session_id=f"s{number:02}",
            outcome=FAILED if number in {3, 9} else Outcome(status="success"),
        )
        for number in range(1, 12)
    )
    html = unescape((await get(make_site(store), "sessions", q="errors>0")).body.decode())
    assert re.findall(r'title="(s\d\d)"', html) == ["s03"]
    assert "among 6 sessions" in html
    (older,) = re.findall(r'href="sessions\?before=(\d+)&q=errors%3E0" rel="next"', html)
    html = unescape((await get(make_site(store), "sessions", q="errors>0", before=older)).body.decode())
    assert re.findall(r'title="(s\d\d)"', html) == ["s09"]
    assert 'rel="next"' not in html
