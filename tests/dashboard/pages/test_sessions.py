import re
from dataclasses import replace

import pytest

from miharu.batch import Batch, Score, Span
from miharu.call import Call, Cost, Outcome, Usage, new_id
from miharu.dashboard.http.page import Site
from tests.dashboard.conftest import NOW, get, make_site
from tests.dashboard.memory import MemoryStore

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
    assert "helpful</button> <b>1</b>" in body
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
    assert len(link) == 5  # three calls and two spans
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


async def long_one() -> Site:
    """A session of 1,000 calls over 1,000 minutes, the last still running when the page is looked at."""
    store = MemoryStore(
        at(n * 60_000, trace_id=None, model=f"m{n % 3}", duration_ms=90_000 if n == 0 else 2000)
        for n in range(1000)
    )
    return make_site(store)


def figure(body: str, label: str) -> str:
    found = re.search(
        rf'<div class="l">{label}</div><div class="v[^"]*">(.*?)</div><div class="d">(.*?)</div>', body
    )
    assert found
    return re.sub("<[^>]+>", "", f"{found[1]} | {found[2]}")


async def test_the_figures_of_a_very_long_one_cover_all_its_calls() -> None:
    site = await long_one()
    pages = [(await get(site, "sessions", session="s1")).body.decode()]
    while older := re.search(r'href="(?:sessions\?session=s1&amp;before=)([^"]+)" rel="next"', pages[-1]):
        pages.append((await get(site, "sessions", session="s1", before=older[1])).body.decode())
    assert [len(lines(page)) for page in pages] == [300, 300, 300, 100]
    for page in pages:
        assert figure(page, "Lasted").startswith("16 h 40 min | from 22 Nov 21:41")
        assert figure(page, "In models") == "34 min 48 s | m0, m1, m2"
        assert figure(page, "Cost") == "$10.00 | 1,000 calls"
    assert "Calls 701 to 1,000 of 1,000" in pages[0]
    assert "Calls 1 to 100 of 1,000" in pages[3]
    assert [re.findall(r'<td class="num mid">(\$[\d.]+)</td></tr>', page)[-1] for page in pages] == [
        "$10.00",
        "$7.00",
        "$4.00",
        "$1.00",
    ]
    assert re.findall(r'<td class="num mid">(\$[\d.]+)</td></tr>', pages[3])[0] == "$0.0100"
    assert [figure(page, "Failed") for page in pages] == ["0 | user ann"] * 4


async def test_calls_of_one_millisecond_are_counted_once_over_the_pages() -> None:
    calls = [replace(ONE, id=new_id(NOW - 5), timestamp=NOW - 5, trace_id=None) for _ in range(650)]
    site = make_site(MemoryStore(calls))
    first = (await get(site, "sessions", session="s1")).body.decode()
    assert "Calls 351 to 650 of 650" in first
    assert re.findall(r'<td class="num mid">(\$[\d.]+)</td></tr>', first)[-1] == "$6.50"


@pytest.fixture
async def failing() -> Site:
    """A trace whose calls succeed, while its spans do not."""
    store = MemoryStore()
    root = Span(
        id="root",
        trace_id=TRACE,
        name="agent <i>",
        timestamp=NOW - 60_010,
        duration_ms=9000,
        status="error",
        error_type="shop.OutOfStock",
        error_message="no <b>tea</b> left",
        tags={"team": "search"},
    )
    inner = replace(
        root, id="tool", name="search", parent_id="root", timestamp=NOW - 57_500, error_message=None
    )
    await store.add(
        Batch(calls=[at(60_000)], spans=[root, inner, replace(inner, id="fine", status="success")])
    )
    return make_site(store)


async def test_what_a_span_failed_with_is_shown_and_counted(failing: Site) -> None:
    for params in ({"session": "s1"}, {"trace": TRACE}):
        body = (await get(failing, "sessions", **params)).body.decode()
        assert figure(body, "Failed").startswith("2 | 0 calls, 2 spans")
        assert body.count('title="shop.OutOfStock: no &lt;b&gt;tea&lt;/b&gt; left"') == 1
        assert body.count('title="shop.OutOfStock"') == 1
    exported = (await get(failing, "export.csv", of="sessions", trace=TRACE)).body.decode()
    assert "no <b>tea</b> left" in exported


async def test_a_span_opens_beside_its_tree(failing: Site) -> None:
    body = (await get(failing, "sessions", trace=TRACE, sel="root")).body.decode()
    assert 'aria-label="Span detail"' in body
    drawer = body[body.index('aria-label="Span detail"') :]
    assert (
        '<pre tabindex="0" role="region" aria-label="Error text">no &lt;b&gt;tea&lt;/b&gt; left</pre>'
        in drawer
    )
    assert "agent &lt;i&gt;" in drawer
    assert "Tag team" in drawer
    assert "data-step" in drawer
    assert f'href="calls?trace={TRACE}"' in drawer


async def test_errors_of_spans_stand_among_the_errors(failing: Site) -> None:
    body = (await get(failing, "errors")).body.decode()
    assert "Spans that failed" in body
    assert f'href="sessions?trace={TRACE}&amp;sel=root"' in body
    assert "Spans that failed" not in (await get(failing, "errors", model="gpt-6")).body.decode()
    assert "Spans that failed" not in (await get(failing, "errors", user="nobody")).body.decode()


async def test_a_trace_of_very_many_spans_shows_the_first_and_says_so() -> None:
    store = MemoryStore()
    spans = [
        Span(id=f"{n}", trace_id=TRACE, name="n", timestamp=NOW - 9000 + n, duration_ms=1, status="success")
        for n in range(1500)
    ]
    await store.add(Batch(calls=[at(9000)], spans=spans))
    body = (await get(make_site(store), "sessions", trace=TRACE)).body.decode()
    assert "The first 1,000 spans of a trace." in body
    assert len(lines(body)) == 1001
