"""The page of tools: what was asked for, what ran, and what is said where one of them is not known."""

import json
import re
from dataclasses import replace

import pytest

from miharu.batch import RECOGNISED, UNTOLD, Batch, Span
from miharu.call import Call, Outcome, new_id
from miharu.dashboard.http.page import Site
from miharu.dashboard.panels import tool_failures
from tests.dashboard.conftest import NOW, get, make_site
from tests.dashboard.memory import MemoryStore

pytestmark = pytest.mark.anyio
NOON_ISH = NOW - 3_600_000


def asking(ago: int, tools: str | None, model: str = "gpt-6") -> Call:
    return Call(
        id=new_id(NOW - ago),
        timestamp=NOW - ago,
        api="openai.chat",
        model=model,
        route="POST /chat",
        outcome=Outcome(status="success"),
        tools=tools,
    )


def ran(number: int, name: str, ms: int = 100, **facts: object) -> Span:
    span = Span(
        id=f"{number:016x}",
        trace_id="a" * 32,
        name=name,
        timestamp=NOW - 5000,
        duration_ms=ms,
        status="success",
        kind="execute_tool",
    )
    return replace(span, **facts)  # type: ignore[arg-type]


@pytest.fixture
async def site() -> Site:
    store = MemoryStore()
    calls = [
        *(asking(1000 * n, '["find"]') for n in range(1, 6)),
        asking(9000, '["find", "<b>refund"]', "claude-x"),
        asking(9500, None),
        asking(90_000_000, '["long_ago"]'),
    ]
    spans = [
        *(ran(n, "find", 100 * n) for n in range(1, 5)),
        ran(9, "get", 7_000, status="error", error_type="Boom"),
        ran(10, "get", 10),
        ran(11, "plain", kind=None),
    ]
    await store.add(Batch(calls=calls, spans=spans))
    return make_site(store)


def rows(body: str) -> list[list[str]]:
    table = body[body.index('<table class="tools">') :].partition("</table>")[0]
    found = re.findall(r"<tr><td.*?</tr>", table, re.DOTALL)
    return [
        [re.sub(r"\s+", " ", re.sub("<[^>]+>", "", cell)).strip() for cell in re.split("</td>", row)][:-1]
        for row in found
    ]


async def test_both_sides_of_each_tool_stand_in_a_row(site: Site) -> None:
    found = rows((await get(site, "tools")).body.decode())
    assert [row[:5] for row in found] == [
        ["find", "gpt-6, claude-x", "6", "2 not 4", "0%"],
        ["&lt;b&gt;refund", "claude-x", "1", "–", "–"],  # noqa: RUF001 - a dash, as printed
        ["get", "the program itself", "–", "2", "50%"],  # noqa: RUF001 - ditto
    ]
    assert found[0][6:8] == ["200 ms", "400 ms"]


def seen(number: int, name: str, ms: int = 100, **facts: object) -> Span:
    """A run that is told of by the request that brought its result."""
    tags = {RECOGNISED: f"call {number}"} | ({UNTOLD: "yes"} if facts.pop("untold", False) else {})
    return ran(number, name, ms, tags=tags, **facts)


async def test_of_a_run_that_nobody_measured_it_is_said_that_its_time_is_at_most_that() -> None:
    store = MemoryStore([asking(1000, '["find", "get", "plan"]'), asking(2000, '["find"]')])
    spans = [
        seen(1, "find", 250, untold=True),
        seen(2, "find", 350, status="error", error_type="tool_error"),
        seen(3, "get", 450, untold=True),
        ran(4, "plan", 50),
    ]
    await store.add(Batch(spans=spans))
    body = (await get(make_site(store), "tools")).body.decode()
    assert [(*row[2:5], *row[6:8]) for row in rows(body)] == [
        ("2", "2", "100%", "≤ 250 ms", "≤ 350 ms"),  # of the only run of which that is told
        ("1", "1", "–", "≤ 450 ms", "≤ 450 ms"),  # noqa: RUF001 - a dash, as printed
        ("1", "1", "0%", "50 ms", "50 ms"),
    ]
    assert "of 2 runs not known" in body
    assert "Of 1 run. Of 1 it is not known" in body
    assert '1</span> <span class="dim">of 1' in body
    exported = json.loads((await get(make_site(store), "export.json", of="tools")).body)["rows"]
    assert [(row["recognised"], row["untold"], row["failed"]) for row in exported] == [
        (2, 1, 1.0),
        (1, 1, None),
        (0, 0, 0.0),
    ]


async def test_a_run_that_has_a_step_of_its_own_counts_once() -> None:
    store = MemoryStore([asking(1000, '["find"]')])
    inside = replace(ran(1, "find", 60), timestamp=NOON_ISH + 20)
    elsewhere = replace(inside, id="2" * 16, trace_id="b" * 32)
    later = replace(inside, id="3" * 16, timestamp=NOON_ISH + 90_000)
    around = replace(seen(4, "find", 100), timestamp=NOON_ISH)
    for others, number in (([inside], 1), ([elsewhere], 2), ([later], 2), ([inside, later], 2)):
        store.kept_spans = [around, *others]
        [row] = rows((await get(make_site(store), "tools")).body.decode())
        assert row[3] == str(number)


async def test_what_happened_next_is_told_of_the_tool_that_failed_most() -> None:
    store, start = MemoryStore(), NOW - 3_000_000
    spans, calls = [], []
    for number, following in enumerate(
        [*["refund"] * 5, *["open_ticket"] * 3, None, None, "failed"],
    ):
        at, trace = start + number * 1000, f"{number:032x}"
        facts: dict[str, object] = {"trace_id": trace, "timestamp": at, "error_type": "tool_error"}
        group = f"group-{number}"
        spans.append(ran(number, "refund", 100, status="error", tags={RECOGNISED: group}, **facts))
        failed = Outcome(status="error", http_status=500, error_type="500")
        call = asking(0, json.dumps([following]) if following not in {None, "failed"} else None)
        outcome = failed if following == "failed" else call.outcome
        calls.append(
            replace(
                call,
                id=new_id(at + 100),
                timestamp=at + 100,
                trace_id=trace,
                call_group=group,
                outcome=outcome,
            )
        )
    spans.append(ran(99, "find", status="error"))
    await store.add(Batch(calls=calls, spans=spans))
    site = make_site(store)
    body = (await get(site, "tools")).body.decode()
    part = body[body.index('id="h-next"') :].partition("</section>")[0]
    found = re.findall(r'<span class="p">(.*?)</span><span class="c">(\d+)</span>', part)
    assert [(re.sub("<[^>]+>", "", text), times) for text, times in found] == [
        ("the model asked for it again", "5"),
        ("the model asked for open_ticket", "3"),
        ("the model answered without a tool", "2"),
        ("the call failed or was left", "1"),
    ]
    assert f'href="sessions?trace={4:032x}&amp;sel={4:016x}"' in part  # the newest of them
    assert part.count("sw-bad") == 1
    assert "Of the newest 11 failures" in part
    assert "What happened next" not in (await get(site, "tools", model="gpt-6")).body.decode()
    assert "What happened next" not in (await get(site, "tools", q="tool:find")).body.decode()


async def test_what_followed_is_not_told_where_there_are_more_calls_than_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = [replace(asking(ago, None), trace_id="a" * 32) for ago in (3000, 2000, 1000)]
    store = MemoryStore(calls)
    await store.add(Batch(spans=[ran(1, "refund", 100, status="error")]))
    for most, is_told in ((4, True), (2, False)):
        monkeypatch.setattr(tool_failures, "_CALLS", most)
        body = (await get(make_site(store), "tools")).body.decode()
        assert ("What happened next" in body) is is_told


async def test_the_rows_come_in_the_order_asked_for(site: Site) -> None:
    for sort, first in (
        ("-failed", "get"),
        ("-p95_ms", "get"),
        ("-unseen", "find"),
        ("tool", "&lt;b&gt;refund"),
    ):
        assert rows((await get(site, "tools", sort=sort)).body.decode())[0][0] == first


async def test_how_tools_fail_is_told(site: Site) -> None:
    body = (await get(site, "tools")).body.decode()
    assert "How tools fail" in body
    assert 'href="errors?error=Boom"' in body
    assert "1 of 1 in" in body


async def test_a_filter_that_steps_do_not_have_is_said_and_compares_nothing(site: Site) -> None:
    body = (await get(site, "tools", model="claude-x")).body.decode()
    assert "Runs have no model of a call" in body
    [found] = [row for row in rows(body) if row[0] == "find"]
    assert found[2:4] == ["1", "4"]  # the runs are those of all models, so no gap is shown
    assert "of no tool both sides are known in full" in body


async def test_conditions_narrow_what_was_asked_for_and_are_said_too(site: Site) -> None:
    page = (await get(site, "tools", q="-model:gpt-6 cost<1 status:success")).body.decode()
    assert "Runs have no cost, model, status of a call" in page
    rows = json.loads((await get(site, "export.json", of="tools", q="-model:gpt-6")).body)["rows"]
    assert {row["tool"]: (row["asked"], row["unseen"]) for row in rows if row["asked"]} == {
        "find": (1, None),
        "<b>refund": (1, None),
    }


async def test_a_tool_leads_to_the_calls_that_asked_for_it(site: Site) -> None:
    body = (await get(site, "tools")).body.decode()
    table = body[body.index('<table class="tools">') :].partition("</table>")[0]
    links = re.findall(r'<a class="mono cut" href="([^"]*)"', table)
    assert links == ["calls?q=tool:find", "calls?q=tool:%22%3Cb%3Erefund%22"]  # nobody asked for the third
    calls = (await get(site, "calls", q="tool:refund,*>refund")).body.decode()
    assert calls.count("<tr id=") == 1


async def test_a_condition_on_tools_says_which_of_them(site: Site) -> None:
    body = (await get(site, "tools", q="tool:find,get")).body.decode()
    assert [row[0] for row in rows(body)] == ["find", "get"]
    assert "that filter does not narrow them down" not in body


async def test_nothing_is_said_to_be_missing_of_what_was_not_looked_through(site: Site) -> None:
    tools = site.store.tools

    async def partly(query: object) -> object:
        return replace(await tools(query), asked_since=NOW - 60_000)  # type: ignore[arg-type]

    site.store.tools = partly  # type: ignore[method-assign,assignment]
    body = (await get(site, "tools")).body.decode()
    assert "There are many calls: only those since" in body
    assert " not</span>" not in body


async def test_without_tools_it_says_how_they_are_recognised() -> None:
    site = make_site(MemoryStore([asking(5, None)]))
    body = (await get(site, "tools")).body.decode()
    assert "@miharu.observe(kind=&#34;tool&#34;)" in body or '@miharu.observe(kind="tool")' in body
    assert "No tool in this range matches the filters." in (await get(site, "tools", model="x")).body.decode()


async def test_the_same_rows_are_a_file(site: Site) -> None:
    text = (await get(site, "export.csv", of="tools")).body.decode()
    assert (
        text.splitlines()[0]
        == "tool,models,asked,ran,unseen,errors,failed,p50_ms,p95_ms,last,recognised,untold"
    )
    assert text.splitlines()[1].startswith('find,"gpt-6, claude-x",6,4,2,0,0')
