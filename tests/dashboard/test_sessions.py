import re
from dataclasses import replace

import pytest

from miharu.batch import Batch, Score, Span
from miharu.call import Call, Cost, Outcome, Usage, new_id
from miharu.dashboard.page import Site

from .conftest import NOW, get, make_site
from .memory import MemoryStore

pytestmark = pytest.mark.anyio
TRACE = "a" * 32
ONE = Call(
    id="",
    timestamp=0,
    api="openai.chat",
    model="gpt-6",
    session_id="s1",
    user_id="ann",
    trace_id=TRACE,
    parent_id="root",
    duration_ms=2000,
    ttft_ms=500,
    stream=True,
    outcome=Outcome(status="success", http_status=200),
    usage=Usage(prompt_tokens=100, completion_tokens=10, usage_source="provider"),
    cost=Cost(cost_nanousd=10_000_000, cost_source="t"),
)


def at(ago: int, **facts: object) -> Call:
    return replace(ONE, id=new_id(NOW - ago), timestamp=NOW - ago, **facts)  # type: ignore[arg-type]


@pytest.fixture
async def site() -> Site:
    store = MemoryStore()
    root = Span(
        id="root", trace_id=TRACE, name="agent", timestamp=NOW - 60_010, duration_ms=9000, status="success"
    )
    tool = replace(root, id="tool", name="search", parent_id="root", timestamp=NOW - 57_500, duration_ms=400)
    calls = [
        at(60_000),
        at(57_000, cost=None),
        at(10_000, trace_id=None, parent_id=None, outcome=Outcome(status="error", error_type="<b>")),
        at(5000, session_id="s2", user_id=None, trace_id=None),
        at(4000, session_id=None, trace_id=None),
    ]
    score = Score(id="x", timestamp=NOW, name="helpful", value=1.0, trace_id=TRACE, comment="<i>")
    await store.add(Batch(calls=calls, spans=[root, tool], scores=[score]))
    return make_site(store)


def lines(body: str) -> list[tuple[str, str]]:
    """(depth, name) of each line of the tree."""
    found = re.findall(r'<tr id="c-[^"]*"[^>]*><td class="(d\d)">.*?title="([^"]*)"', body)
    return [(depth, name) for depth, name in found]


async def test_lists_those_with_the_newest_calls_first(site: Site) -> None:
    body = (await get(site, "sessions")).body.decode()
    assert re.findall(r'href="sessions\?session=(\w+)"', body) == ["s2", "s1"]
    assert "ann" in body


async def test_opens_one_as_a_tree(site: Site) -> None:
    body = (await get(site, "sessions", session="s1")).body.decode()
    assert lines(body) == [
        ("d0", "agent"),
        ("d1", "gpt-6"),
        ("d1", "search"),
        ("d1", "gpt-6"),
        ("d0", "gpt-6"),
    ]
    assert "1 silence folded: 41 s" in body
    assert "helpful <b>1</b>" in body
    assert "&lt;b&gt;" in body
    assert "1 without a price" in body


async def test_shows_what_was_spent_so_far(site: Site) -> None:
    body = (await get(site, "sessions", session="s1")).body.decode()
    assert re.findall(r'<td class="num mid">(\$[\d.]+)</td></tr>', body) == ["$0.0100", "$0.0100", "$0.0200"]


async def test_opens_a_trace_as_well(site: Site) -> None:
    body = (await get(site, "sessions", trace=TRACE)).body.decode()
    assert len(lines(body)) == 4
    assert 'href="sessions?session=s1"' in body


async def test_opens_a_call_beside_its_tree(site: Site) -> None:
    plain = (await get(site, "sessions", session="s1")).body.decode()
    link = re.findall(r'href="(sessions\?session=s1&amp;sel=[^"]+)"', plain)
    assert len(link) == 3
    opened = (await get(site, "sessions", session="s1", sel=link[1].partition("sel=")[2])).body.decode()
    assert 'aria-label="Call detail"' in opened
    assert 'data-step="chevron-up"' in opened
    assert 'data-step="chevron-down"' in opened
    assert 'href="sessions?session=s1" hx-get="sessions?session=s1" data-close' in opened


async def test_says_that_a_session_is_not_there(site: Site) -> None:
    assert b"There is no call of this session here." in (await get(site, "sessions", session="s9")).body
    assert b"There is no call of this trace here." in (await get(site, "sessions", trace="t9")).body


async def test_says_how_to_have_sessions() -> None:
    body = (await get(make_site(MemoryStore([at(5, session_id=None)])), "sessions")).body
    assert b"miharu.context(session=" in body


async def test_pages_by_the_last_call() -> None:
    store = MemoryStore(at(n * 1000, session_id=f"s{n:03}", trace_id=None) for n in range(120))
    seen: list[str] = []
    params: dict[str, str] = {}
    while True:
        body = (await get(make_site(store), "sessions", **params)).body.decode()
        seen += re.findall(r'href="sessions\?session=(\w+)"', body)
        older = re.search(r'href="sessions\?before=(\d+)" rel="next"', body)
        if older is None:
            break
        params["before"] = older[1]
    assert seen == [f"s{n:03}" for n in range(120)]


async def test_draws_the_newest_of_a_very_long_one() -> None:
    store = MemoryStore(at(n * 1000, trace_id=None) for n in range(310))
    body = (await get(make_site(store), "sessions", session="s1")).body.decode()
    assert len(lines(body)) == 300
    assert "The newest 300 of 310 calls." in body
