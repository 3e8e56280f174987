from dataclasses import replace
from itertools import pairwise

import pytest

from miharu.batch import RECOGNISED, TOOL, Batch, Span
from miharu.call import Call, Outcome, new_id
from miharu.dashboard.address.view import View
from miharu.dashboard.call.timeline import Around, around, phases
from tests.dashboard.conftest import NOW, make_site
from tests.dashboard.memory import MemoryStore

pytestmark = pytest.mark.anyio
TRACE = "f" * 32
ANSWERED = Outcome(status="success", http_status=200)
REFUSED = Outcome(status="error", http_status=429, error_type="rate_limit")


def call(at: int, ms: int = 1000, **facts: object) -> Call:
    made = Call(
        id=new_id(NOW + at), timestamp=NOW + at, api="x", outcome=ANSWERED, duration_ms=ms, call_group="g"
    )
    return replace(made, **facts)  # type: ignore[arg-type]


async def near(one: Call, *others: Call, spans: tuple[Span, ...] = ()) -> Around:
    store = MemoryStore()
    await store.add(Batch(calls=[one, *others], spans=spans))
    return await around(one, make_site(store))


def names(one: Call, found: Around, *tools: str) -> list[tuple[str, str]]:
    return [(bar.name, bar.css) for bar in phases(one, found, View(), "calls", tools)]


async def test_parts_a_stream_at_its_first_token() -> None:
    one = call(0, 4000, ttft_ms=1000)
    wait, stream = phases(one, await near(one), View(), "calls", [])
    assert (wait.start, wait.width, wait.text) == (0, 25, "1.00 s")
    assert (stream.start, stream.width, stream.text) == (25, 75, "3.00 s")


async def test_draws_a_whole_answer_in_one() -> None:
    one = call(0, 0)
    assert names(one, await near(one)) == [("Whole call", "b")]


async def test_shows_the_other_tries_on_the_same_axis() -> None:
    first = call(-9000, 200, attempt=1, outcome=REFUSED)
    second = call(-5000, 200, attempt=2, outcome=REFUSED)
    third = call(0, 1000, attempt=3, ttft_ms=500)
    stranger = call(-4000, 200, call_group="other", attempt=2)
    found = await near(third, first, second, stranger)
    bars = phases(third, found, View(), "calls", [])
    assert [bar.name for bar in bars] == ["Try 1", "Try 2", "Wait for first token", "Stream"]
    assert [bar.start for bar in bars] == [0, 40, 90, 95]
    assert bars[0].link == f"calls?sel={first.id}"
    assert bars[0].why == "429 rate_limit"
    assert all(a.start <= b.start for a, b in pairwise(bars))
    later = await near(first, second, third)
    assert names(first, later) == [("Try 1", "e"), ("Try 2", "e"), ("Try 3", "b")]


async def test_asks_for_no_tries_where_there_was_only_one() -> None:
    one = call(0, attempt=1)
    assert (await near(one, call(2000, attempt=2))).tries == []


async def test_shows_the_tools_that_ran_before_the_next_call() -> None:
    def span(name: str, at: int, parent: str | None = "p") -> Span:
        return Span(
            id=name,
            trace_id=TRACE,
            parent_id=parent,
            name=name,
            timestamp=NOW + at,
            duration_ms=400,
            status="success",
        )

    one = call(0, trace_id=TRACE, parent_id="p")
    following = call(3000, trace_id=TRACE, parent_id="p")
    spans = (span("search", 1100), span("before", -10), span("after", 3100), span("deeper", 1200, "search"))
    found = await near(one, following, spans=spans)
    assert [tool.name for tool in found.tools] == ["search"]
    assert names(one, found, "search") == [("Whole call", "b"), ("search", "t")]
    assert (await near(one, spans=spans)).tools == ()
    failed = replace(one, outcome=REFUSED)
    assert (await near(failed, following, spans=spans)).tools == ()


async def test_a_recognised_run_of_a_tool_is_at_most_that_long_and_stands_once() -> None:
    def tool(id: str, name: str, at: int, **facts: object) -> Span:
        plain = Span(
            id=id, trace_id=TRACE, name=name, timestamp=NOW + at, duration_ms=900, status="success", kind=TOOL
        )
        return replace(plain, **facts)  # type: ignore[arg-type]

    seen = {RECOGNISED: "g"}
    spans = (
        tool("1", "search", 1000, tags=seen),
        tool("2", "find", 1000, tags=seen),
        tool("3", "find", 1100, duration_ms=50),
    )
    one = call(0, trace_id=TRACE)
    found = await near(one, call(3000, trace_id=TRACE), spans=spans)
    assert [tool.id for tool in found.tools] == ["1", "3"]
    assert ["At most" in bar.why for bar in phases(one, found, View(), "calls", ())] == [False, True, False]


async def test_shows_the_time_until_the_next_call_where_tools_are_no_spans() -> None:
    one = call(0, session_id="s")
    found = await near(one, call(2500, session_id="s"), call(1500, session_id="other"))
    whole, tools = phases(one, found, View(), "calls", ["search"])
    assert (tools.name, tools.text) == ("Tools", "1.50 s")
    assert "search" in tools.why
    assert whole.width == 40
    assert names(one, found) == [("Whole call", "b")]
