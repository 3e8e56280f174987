import json
import re
import time
from dataclasses import replace

import pytest

from miharu.batch import RECOGNISED, UNTOLD, Batch, Score, Span
from miharu.call import Call, Cost, Outcome, Usage, new_id
from miharu.dashboard.http.page import Page, Site
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


def written(page: Page) -> str:
    """Without the breaks of lines beside and in tags, which are the template's."""
    text = re.sub(r">\s*\n\s*", ">", page.body.decode())
    text = re.sub(r"\s*\n\s*<", "<", text)
    return re.sub(r"<[^>]*>", lambda tag: re.sub(r"\s*\n\s*", " ", tag[0]), text)


def lines(body: str) -> list[tuple[str, str]]:
    """(depth, name) of each line of the tree."""
    found = re.findall(r'<tr id="c-[^"]*"[^>]*data-level="(\d+)".*?data-row[^>]*title="([^"]*)"', body)
    return [(f"d{int(level) - 1}", name) for level, name in found]


def so_far(body: str) -> list[str]:
    return re.findall(r'<td class="num mid t-far">(\$[\d.]+)</td></tr>', body)


async def test_lists_those_with_the_newest_calls_first(site: Site) -> None:
    body = written(await get(site, "sessions"))
    assert re.findall(r'href="sessions\?session=(\w+)"', body) == ["s2", "s1"]
    assert "ann" in body


async def test_opens_one_as_a_tree(site: Site) -> None:
    body = written(await get(site, "sessions", session="s1"))
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
    body = written(await get(site, "sessions", session="s1"))
    assert so_far(body) == ["$0.0100", "$0.0100", "$0.0200"]


async def test_opens_a_trace_as_well(site: Site) -> None:
    body = written(await get(site, "sessions", trace=TRACE))
    assert len(lines(body)) == 4
    assert 'href="sessions?session=s1"' in body


async def test_opens_a_call_beside_its_tree(site: Site) -> None:
    plain = written(await get(site, "sessions", session="s1"))
    link = re.findall(r'href="(sessions\?session=s1&amp;sel=[^"]+)" data-row', plain)
    assert len(link) == 5  # three calls and two spans
    opened = written(await get(site, "sessions", session="s1", sel=link[1].partition("sel=")[2]))
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
        body = written(await get(make_site(store), "sessions", **params))
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
    pages = [written(await get(site, "sessions", session="s1"))]
    while more := re.search(r'href="(?:sessions\?session=s1&amp;page=)(\d+)" rel="next"', pages[-1]):
        pages.append(written(await get(site, "sessions", session="s1", page=more[1])))
    assert [len(lines(page)) for page in pages] == [200] * 5
    for page in pages:
        assert figure(page, "Lasted").startswith("16 h 40 min | from 22 Nov 21:41")
        assert figure(page, "In models") == "34 min 48 s | m0, m1, m2"
        assert figure(page, "Cost") == "$10.00 | 1,000 calls · user ann"
    assert "Rows 1 to 200 of 1,000" in pages[0]
    assert "Rows 801 to 1,000 of 1,000" in pages[4]
    assert [so_far(page)[-1] for page in pages] == ["$2.00", "$4.00", "$6.00", "$8.00", "$10.00"]
    assert so_far(pages[0])[0] == "$0.0100"
    assert [figure(page, "Failed") for page in pages] == ["0 | 0 calls, 0 spans"] * 5


async def test_calls_of_one_millisecond_are_counted_once_over_the_pages() -> None:
    calls = [replace(ONE, id=new_id(NOW - 5), timestamp=NOW - 5, trace_id=None) for _ in range(2350)]
    site = make_site(MemoryStore(calls))
    first = written(await get(site, "sessions", session="s1"))
    assert "Calls 351 to 2,350 of 2,350" in first
    assert so_far(first) == ["$23.50"]
    assert "×2,000" in first  # noqa: RUF001 - as it is printed
    older = re.search(r'href="(?:sessions\?session=s1&amp;before=)([^"]+)" rel="next"', first)
    assert older
    before = written(await get(site, "sessions", session="s1", before=older[1]))
    assert "Calls 1 to 350 of 2,350" in before
    assert so_far(before) == ["$3.50"]


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
        body = written(await get(failing, "sessions", **params))
        assert figure(body, "Failed").startswith("2 | 0 calls, 2 spans")
        assert body.count('title="shop.OutOfStock: no &lt;b&gt;tea&lt;/b&gt; left"') == 1
        assert body.count('title="shop.OutOfStock"') == 1
    exported = written(await get(failing, "export.csv", of="sessions", trace=TRACE))
    assert "no <b>tea</b> left" in exported


async def test_a_span_opens_beside_its_tree(failing: Site) -> None:
    body = written(await get(failing, "sessions", trace=TRACE, sel="root"))
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
    body = written(await get(failing, "errors"))
    assert "Spans that failed" in body
    assert f'href="sessions?trace={TRACE}&amp;sel=root"' in body
    assert "Spans that failed" not in written(await get(failing, "errors", model="gpt-6"))
    assert "Spans that failed" not in written(await get(failing, "errors", user="nobody"))


async def test_a_trace_of_very_many_spans_shows_the_first_and_says_so() -> None:
    store = MemoryStore()
    spans = [
        Span(id=f"{n}", trace_id=TRACE, name="n", timestamp=NOW - 9000 + n, duration_ms=1, status="success")
        for n in range(1500)
    ]
    await store.add(Batch(calls=[at(9000)], spans=spans))
    site = make_site(store)
    body = written(await get(site, "sessions", trace=TRACE))
    assert "The first 1,000 spans of a trace." in body
    assert [name for _, name in lines(body)] == ["n", "gpt-6", "n"]
    assert "×999" in body  # noqa: RUF001 - as it is printed
    pages = [written(await get(site, "sessions", trace=TRACE, unfold="all", page=n)) for n in "123456"]
    assert [len(lines(page)) for page in pages] == [200] * 5 + [2]
    exported = written(await get(site, "export.csv", of="sessions", trace=TRACE))
    assert len(exported.splitlines()) == 1002


def span(id: str, parent: str | None, at: int, ms: int, **facts: object) -> Span:
    plain = Span(
        id=id,
        trace_id=TRACE,
        name=id,
        timestamp=NOW - 9000 + at,
        duration_ms=ms,
        status="success",
        parent_id=parent,
    )
    return replace(plain, **facts)  # type: ignore[arg-type]


FAILED = {"status": "error", "error_type": "ValueError", "error_message": "no"}


@pytest.fixture
async def agent() -> Site:
    """A run in which an error came up three levels, was handled, and another began beside it."""
    store = MemoryStore()
    spans = [
        span("run", None, 0, 8000, kind="invoke_agent"),
        span("loop", "run", 0, 4000),
        span("guarded", "loop", 100, 900, status="error", error_type="shop.Refused", error_message="x"),
        span("retry", "guarded", 110, 880, **FAILED),
        span("parse", "retry", 120, 800, kind="execute_tool", error_stack="Traceback\n<here>", **FAILED),
        span("log", "loop", 1500, 10),
        span("plan", "run", 5000, 900),
        span("deeper", "plan", 5000, 800),
        span("deepest", "deeper", 5000, 700),
        span("leaf", "deepest", 5000, 600),
        span("other", "run", 6000, 10, status="error", error_type="TypeError"),
    ]
    spans[4] = replace(spans[4], input='{"text": "12,90"}', tags={"team": "support"})
    calls = [
        at(9000, parent_id="loop", tools='["parse"]', duration_ms=50),
        *(at(3900 - n, parent_id="deepest", model="emb", duration_ms=1) for n in range(9)),
    ]
    await store.add(Batch(calls=calls, spans=spans))
    return make_site(store)


async def test_what_a_tool_was_given_is_a_tree(agent: Site) -> None:
    body = await shown(agent, sel="parse")
    assert '<div class="jt">' in body
    assert '<span class="k">"text"</span>: <span class="s">"12,90"</span>' in body
    assert '>{"text": "12,90"}</div>' in body


async def shown(site: Site, **params: str) -> str:
    return written(await get(site, "sessions", trace=TRACE, **params))


def row(body: str, id: str) -> str:
    return body.partition(f'<tr id="c-{id}"')[2].partition("</tr>")[0]


async def test_where_an_error_began_where_it_passed_and_where_it_was_handled_are_told_apart(
    agent: Site,
) -> None:
    body = await shown(agent)
    assert 'class="tool fail"' in row(body, "parse")
    assert '<span class="tag e" title="ValueError: no">' in row(body, "parse")
    for passed in ("retry", "guarded"):
        assert 'class="step thru-row"' in row(body, passed)
        assert '<span class="thru"' in row(body, passed)
        assert 'class="below"' not in row(body, passed)
    assert "1 error below</span>" in row(body, "loop")
    assert "2 errors below</span>" in row(body, "run")
    assert '<path class="e"' in row(body, "retry")  # it came up to what is above
    assert '<path class="h"' in row(body, "guarded")  # and no further than that
    assert '<path class="e"' not in row(body, "guarded")


async def test_what_failed_and_where_errors_began_are_counted_apart(
    agent: Site, failing: Site, site: Site
) -> None:
    body = await shown(agent)
    assert figure(body, "Failed").startswith("4 | 0 calls, 4 spans from 2 errors")
    assert "An error began in 2, and 2 more failed because of what failed inside of them." in body
    assert "<span>2 errors</span>" in body
    opened = await shown(agent, sel="parse")
    assert "<span>Error <b>1</b> of 2 began here</span>" in opened
    assert "<span>Error <b>1</b> of 2</span>" in opened[opened.index('aria-label="Span detail"') :]
    assert figure(await shown(failing), "Failed").startswith("2 | 0 calls, 2 spans from 1 error")
    alone = written(await get(site, "sessions", session="s1"))
    assert figure(alone, "Failed") == "1 | 1 call, 0 spans"  # nothing passed it on: there is nothing to tell
    assert "<span>1 error</span>" in alone


async def test_of_a_part_of_a_run_the_errors_are_said_to_be_those_below(agent: Site) -> None:
    many = [span(f"n{n}", "run", 7000 + n, 1, **FAILED) for n in range(1000)]
    await agent.store.add(Batch(calls=[], spans=many))  # type: ignore[attr-defined] # the memory's own
    body = await shown(agent)
    found = re.search(r">([\d,]+) errors below</button>", body)
    assert found
    assert f"Of those that the tree below holds: An error began in {found[1]}" in body


async def test_the_way_to_errors_and_three_levels_are_open_and_the_rest_is_behind_a_link(agent: Site) -> None:
    body = await shown(agent)
    assert [name for _, name in lines(body)] == [
        *("run", "loop", "gpt-6", "guarded", "retry", "parse", "log", "plan", "deeper", "deepest", "other")
    ]
    assert "9 calls" in row(body, "deepest")
    link = re.search(r'class="tw-f" id="f-deepest" href="([^"]+)"', body)
    assert link
    assert link[1] == f"sessions?trace={TRACE}&amp;unfold=deepest"
    opened = await shown(agent, unfold="deepest")
    assert ("d4", "leaf") in lines(opened)
    assert ">×9</span>" in opened  # noqa: RUF001 - as it is printed
    folded = re.search(r'class="tw-f open" id="f-loop" href="([^"]+)"', body)
    assert folded
    assert folded[1] == f"sessions?trace={TRACE}&amp;fold=loop"
    assert ("d2", "guarded") not in lines(await shown(agent, fold="loop"))
    assert [name for _, name in lines(await shown(agent, fold="all"))] == ["run"]
    assert len(lines(await shown(agent, unfold="all"))) == 11 + 11


async def test_bold_costs_add_up_to_the_figure_however_it_is_folded(agent: Site) -> None:
    for params in ({}, {"fold": "all"}, {"unfold": "all"}, {"fold": "deeper"}, {"unfold": "deepest"}):
        body = await shown(agent, **params)
        bold = re.findall(r't-cost strong">\$([\d.]+)<', body)
        assert round(sum(map(float, bold)), 4) == 0.1, params
    assert 't-cost">$0.1000<' in row(await shown(agent), "run")


async def test_next_and_previous_error_are_links(agent: Site) -> None:
    def way(body: str, name: str) -> str:
        found = re.search(rf'<a href="([^"]+)"[^>]*data-error="{name}"', body)
        assert found
        return found[1].rpartition("sel=")[2]

    first = await shown(agent)
    assert (way(first, "after"), way(first, "before")) == ("parse", "other")
    second = await shown(agent, sel="parse")
    assert (way(second, "after"), way(second, "before")) == ("other", "other")
    between = await shown(agent, sel="plan")
    assert (way(between, "after"), way(between, "before")) == ("other", "parse")


async def test_an_error_that_is_folded_away_is_gone_to_all_the_same(agent: Site) -> None:
    body = await shown(agent, fold="loop")
    found = re.search(r'<a href="sessions\?([^"]+)"[^>]*data-error="after"', body)
    assert found
    params = dict(part.split("=") for part in found[1].split("&amp;"))
    assert 'aria-current="true"' in row(
        await shown(agent, **{k: v for k, v in params.items() if k != "trace"}), "parse"
    )


def part(start: int, end: int) -> dict[str, str]:
    """Of the run that began nine seconds ago."""
    return {"part_start": str(NOW - 9000 + start), "part_end": str(NOW - 9000 + end)}


async def test_a_part_of_the_time_narrows_the_tree_and_says_what_it_leaves_out(agent: Site) -> None:
    body = await shown(agent, **part(1400, 4900))
    assert [name for _, name in lines(body)] == ["run", "loop", "log"]
    assert "Zoomed in: <b>+1.40 s</b> to <b>+4.90 s</b>" in body
    assert "Not shown: 10 calls, 1 tool, 7 steps, with 2 errors" in body
    assert f'href="sessions?trace={TRACE}" hx-get' in body[body.index("Not shown") :]
    assert "data-error" not in body  # none began there
    assert figure(body, "Cost") == figure(await shown(agent), "Cost")  # the figures are of all of it
    assert figure(body, "Failed").startswith("4 | 0 calls, 4 spans from 2 errors")
    assert 'data-level="1"' in row(body, "run")
    assert 't-cost"></td>' in row(body, "run")  # no call of it is shown


async def test_the_way_through_a_part_stays_in_it(agent: Site) -> None:
    body = await shown(agent, **part(5000, 7000))
    assert [name for _, name in lines(body)] == ["run", "plan", "deeper", "deepest", "other"]
    assert "<span>1 error</span>" in body
    links = re.findall(r'href="(sessions\?[^"]*(?:sel|fold|unfold)=[^"]*)"', body)
    assert len(links) > 5
    assert all("part_start=" in link and "part_end=" in link for link in links)
    assert "part_start" not in re.findall(r'href="(calls[^"]*)"', body)[0]
    opened = await shown(agent, unfold="all", **part(5103, 5105))
    assert [name for _, name in lines(opened)].count("emb") == 3  # of nine, one a millisecond


async def test_an_error_that_came_up_from_outside_of_a_part_does_not_begin_in_it(agent: Site) -> None:
    body = await shown(agent, **part(950, 1050))
    assert [name for _, name in lines(body)] == ["run", "loop", "guarded", "retry"]
    assert 'class="step thru-row"' in row(body, "guarded")
    assert 'class="step thru-row"' in row(body, "retry")


async def test_how_an_error_came_up_is_drawn_in_a_part_as_in_the_whole(agent: Site) -> None:
    body = await shown(agent, **part(100, 900))
    for id, style in (("parse", "e"), ("retry", "e"), ("guarded", "h")):
        assert f'<path class="{style}"' in row(body, id)
    assert "<span>1 error</span>" in body


async def test_older_calls_are_shown_whole() -> None:
    many = make_site(MemoryStore(at(n, trace_id=None, duration_ms=1) for n in range(2001)))
    body = written(await get(many, "sessions", session="s1", **part(8000, 9000)))
    older = re.search(r'<a href="([^"]+)" rel="next">Older</a>', body)
    assert older
    assert "part_" not in older[1]


async def test_a_part_without_anything_has_a_way_back(agent: Site) -> None:
    body = await shown(agent, **part(-9000, -8000))
    assert "Nothing ran at this time." in body
    assert "data-zoom-out" in body
    assert "Not shown: 10 calls, 1 tool, 10 steps, with 2 errors" in body


async def test_each_quarter_is_a_link_without_scripts_and_can_be_divided_again(agent: Site) -> None:
    def quarters(body: str) -> list[dict[str, str]]:
        links = re.findall(r'href="([^"]*)"', body.partition("<noscript><p")[2].partition("</noscript>")[0])
        return [
            dict(pair.split("=") for pair in link.partition("?")[2].split("&amp;") if "part_" in pair)
            for link in links
        ]

    first = quarters(await shown(agent))
    assert len(first) == 4
    assert [after["part_start"] for after in first[1:]] == [before["part_end"] for before in first[:-1]]
    again = await shown(agent, **first[0])
    assert "Zoomed in: <b>0</b> to <b>+2.00 s</b>" in again
    assert quarters(again)[0]["part_end"] < first[0]["part_end"]


async def test_the_line_knows_its_steps_and_what_ran_in_each(agent: Site) -> None:
    found = re.search(r'<script type="application/json">({"began".*?)</script>', await shown(agent))
    assert found
    known = json.loads(found[1])
    assert (known["t"][0], known["end"], known["began"]) == (NOW - 9000, NOW - 1000, NOW - 9000)
    assert len(known["t"]) == len(known["calls"]) == 120
    assert known["calls"][0] == 1
    assert sum(known["calls"]) == 10
    tools = known["series"][0]["v"]
    assert [step for step, number in enumerate(tools) if number] == list(range(1, 14))


async def test_a_span_opens_whole(agent: Site) -> None:
    body = await shown(agent, sel="parse")
    drawer = body[body.index('aria-label="Span detail"') :]
    assert "Traceback\n&lt;here&gt;" in drawer
    assert "12,90" in drawer
    assert "Nothing was returned: it failed." in drawer
    steps = re.findall(r"<li[^>]*><b[^>]*>([^<]*)</b><span>([^<]*)</span>", drawer)
    assert steps == [
        ("parse", "began here"),
        ("retry", "passed through 1 step"),
        ("guarded", "became shop.Refused"),
        ("loop", "went on"),
    ]
    assert "Asked for by" in drawer
    assert 'href="calls?tag=team=support"' in drawer
    assert "Nothing was kept" not in drawer


async def test_a_deep_trace_starts_again_where_a_page_ends() -> None:
    store = MemoryStore()
    chain = [span(f"s{n}", f"s{n - 1}" if n else None, n, 2000 - n, **FAILED) for n in range(900)]
    await store.add(Batch(calls=[at(8000, parent_id="s899")], spans=chain))
    site = make_site(store)
    body = await shown(site)
    assert [depth for depth, _ in lines(body)] == [f"d{n}" for n in range(17)]
    assert f'href="sessions?trace={TRACE}&amp;focus=s16"' in body
    assert "1 error" in body
    after = re.search(r'href="sessions\?([^"]+)"[^>]*data-error="after"', body)
    assert after
    params = dict(part.split("=") for part in after[1].split("&amp;"))
    del params["trace"]
    last = await shown(site, **params)
    assert 'aria-current="true"' in row(last, "s899")
    assert "… 8" in last
    assert len(last) < 80_000


async def test_a_large_run_is_bounded_in_bytes_and_in_time() -> None:
    store = MemoryStore()
    spans = [span(f"s{n}", f"s{(n - 1) // 7}" if n else None, n * 10, 5000 - n) for n in range(500)]
    calls = [
        at(8900 - 4 * n, parent_id=f"s{n // 4}", model=f"m{n % 3}", duration_ms=3, cost=None)
        for n in range(2000)
    ]
    await store.add(Batch(calls=calls, spans=spans))
    site = make_site(store)
    for params in ({}, {"unfold": "all"}, {"unfold": "all", "page": "12"}, {"fold": "all"}):
        begin = time.process_time()
        body = await shown(site, **params)
        assert time.process_time() - begin < 1.5
        assert len(lines(body)) <= 200
        assert len(body) < 400_000


async def test_cycles_orphans_and_spans_without_an_end_do_no_harm() -> None:
    store = MemoryStore()
    spans = [
        span("a", "b", 0, 10, **FAILED),
        span("b", "a", 0, 10, **FAILED),
        span("self", "self", 0, 0),
        span("orphan", "elsewhere", 0, 0, status="cancelled"),
        span("late", "a", 5_000_000, 10),
    ]
    await store.add(Batch(calls=[at(10, parent_id="nowhere", span_id="b")], spans=spans))
    site = make_site(store)
    for params in (
        {},
        {"sel": "b"},
        {"focus": "b"},
        {"focus": "none", "fold": ",,x,", "unfold": "a,,"},
        {"page": "99"},
    ):
        assert {"a", "b", "self", "orphan", "late", "gpt-6"} >= {
            name for _, name in lines(await shown(site, **params))
        }
    assert len(lines(await shown(site))) == 6


async def test_a_run_of_a_tool_that_nobody_measured_is_told_as_such() -> None:
    asked = at(9000, parent_id=None, tools='["find", "parse"]', duration_ms=1000)
    brought = at(7500, parent_id=None, call_group="first-try", model="gpt-7", trace_id="c" * 32)
    recognised = span("f1", None, 1000, 500, name="find", kind="execute_tool")
    recognised = replace(recognised, tags={RECOGNISED: "first-try", UNTOLD: "yes"})
    doubled = replace(recognised, id="f2", name="parse", tags={RECOGNISED: "first-try"})
    own = span("f3", None, 1100, 50, name="parse", kind="execute_tool")
    store = MemoryStore()
    await store.add(Batch(calls=[asked, brought], spans=[recognised, doubled, own]))
    site = make_site(store)
    body = await shown(site, sel="f1")
    assert [name for _, name in lines(body)] == ["gpt-6", "find", "parse"]
    assert "≤ 500 ms" in row(body, "f1")
    assert "≤" not in row(body, "f3")
    assert "at most, 2 runs of tools" in body
    drawer = body[body.index('aria-label="Span detail"') :]
    assert "Took at most</dt>" in drawer
    assert "not known whether it failed" in drawer
    assert "has no word for a tool that failed" in drawer
    [link] = re.findall(r'href="([^"]*)"><i class="sw[^"]*"></i><b>gpt-7</b>', drawer)
    assert brought.id in link
    assert f"trace={'c' * 32}" in link
    zoomed = await shown(site, sel="f1", **part(0, 2000))
    assert link in zoomed  # another trace is not zoomed into
    assert 'aria-label="Tags"' not in drawer
    exported = written(await get(site, "export.csv", of="sessions", trace=TRACE)).splitlines()
    assert exported[0].endswith(",at_most")
    assert [line.split(",")[4] for line in exported[1:]] == ["success", "unknown", "success"]
    assert [line.rsplit(",", 1)[1] for line in exported[1:]] == ["", "1", ""]
