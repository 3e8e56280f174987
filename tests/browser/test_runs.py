"""A run of an agent as a tree: by mouse, by keyboard, and without scripts."""

import asyncio
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from miharu.batch import RECOGNISED, UNTOLD, Batch, Span
from miharu.call import Call, Cost, Outcome, new_id
from miharu.stores.sqlite import SQLiteStore
from miharu.testing.open_store import both

from .conftest import EXAMPLE, _process, keys_work, page_of
from .test_axe import Look, axe, findings

__all__ = ("axe",)

pytestmark = pytest.mark.browser
TRACE, SEEN, QUICK = "c" * 32, "d" * 32, "e" * 32
FAILED = {"status": "error", "error_type": "ValueError", "error_message": "could not convert '12,90'"}


def span(name: str, parent: str | None, at: int, ms: int, **facts: object) -> Span:
    plain = Span(
        id=name.encode().hex().ljust(16, "0")[:16],
        trace_id=TRACE,
        name=name,
        timestamp=NOW - 60_000 + at,
        duration_ms=ms,
        status="success",
        parent_id=parent and parent.encode().hex().ljust(16, "0")[:16],
    )
    return replace(plain, **facts)  # type: ignore[arg-type]


NOW = time.time_ns() // 1_000_000


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    database = tmp_path_factory.mktemp("runs") / "calls.db"
    filler = threading.Thread(target=lambda: asyncio.run(_fill(str(database))))
    filler.start()
    filler.join()
    with _process(["miharu", "dashboard", "--port", "0"], EXAMPLE, database) as address:
        yield f"{address}/"


async def _fill(database: str) -> None:
    spans = [
        span("agent", None, 0, 50_000, kind="invoke_agent"),
        span("loop", "agent", 100, 9_000),
        span("guard", "loop", 200, 900, **FAILED),
        span("parse", "guard", 300, 500, kind="execute_tool", input='{"text": "12,90"}', **FAILED),
        span("after", "loop", 2_000, 100),
        span("plan", "agent", 20_000, 9_000),
        span("deeper", "plan", 20_000, 8_000),
        span("deepest", "deeper", 20_000, 7_000),
        span("leaf", "deepest", 20_000, 6_000),
        span("last", "agent", 40_000, 100, status="error", error_type="TypeError"),
        span("quick", None, 55_000, 981, trace_id=QUICK),
    ]
    calls = [
        Call(
            id=new_id(NOW - 59_000 + n),
            timestamp=NOW - 59_000 + n,
            api="openai.chat",
            model="gpt-6",
            duration_ms=40,
            outcome=Outcome(status="success"),
            cost=Cost(cost_nanousd=1_000_000, cost_source="t"),
            trace_id=TRACE,
            parent_id=spans[3].id if n else spans[1].id,
            tools='["parse"]',
        )
        for n in range(3)
    ]
    calls += [
        replace(
            calls[0],
            id=new_id(NOW - 30_000 + n * 1000),
            timestamp=NOW - 30_000 + n * 1000,
            duration_ms=500,
            trace_id=SEEN,
            parent_id=None,
            call_group=f"group-{n}",
            tools=tools,
        )
        for n, tools in enumerate(('["look_up_the_order"]', '["look_up_the_order"]', '["open"]', None))
    ]
    failed = {"status": "error", "error_type": "tool_error", "name": "look_up_the_order"}
    for n, facts in enumerate((failed, failed, {"name": "open"}), 1):
        tags = {RECOGNISED: f"group-{n}"} | ({} if facts is failed else {UNTOLD: "yes"})
        seen = span(f"seen{n}", None, 29_500 + n * 1000, 500, trace_id=SEEN, kind="execute_tool", tags=tags)
        spans.append(replace(seen, **facts))  # type: ignore[arg-type]
    store = both(SQLiteStore(f"sqlite+aiosqlite:///{database}"))
    await store.open()
    await store.add(Batch(calls=calls, spans=spans))
    await store.close()


def names(page: Page) -> list[str]:
    return [one.get_attribute("title") or "" for one in page.locator(".run a[data-row]").all()]


def selected(page: Page) -> str:
    return page.locator(".run tr[aria-current] a[data-row]").get_attribute("title") or ""


def test_the_keys_go_from_error_to_error_and_fold(browser: Browser, shop: str) -> None:
    with page_of(browser) as page:
        page.goto(f"{shop}sessions?trace={TRACE}")
        keys_work(page)
        page.keyboard.press("e")
        expect(page.locator(".run tr[aria-current] a[data-row]")).to_have_attribute("title", "parse")
        expect(page.get_by_role("complementary", name="Span detail")).to_contain_text("could not convert")
        page.keyboard.press("e")
        expect(page.locator(".run tr[aria-current] a[data-row]")).to_have_attribute("title", "last")
        page.keyboard.press("E")
        expect(page.locator(".run tr[aria-current] a[data-row]")).to_have_attribute("title", "parse")
        page.keyboard.press("Escape")
        expect(page.get_by_role("complementary", name="Span detail")).to_have_count(0)
        page.keyboard.press("Shift+ArrowLeft")
        expect(page.locator(".run a[data-row]")).to_have_count(1)
        page.keyboard.press("Shift+ArrowRight")
        expect(page.locator(".run a[data-row]")).to_have_count(13)
        page.keyboard.press("j")
        page.keyboard.press("ArrowLeft")
        expect(page.locator(".run a[data-row]")).to_have_count(1)
        page.keyboard.press("ArrowRight")
        expect(page.locator(".run a[data-row]")).to_have_count(13)


def test_a_click_folds_and_stays_folded_over_the_ticks(browser: Browser, shop: str) -> None:
    with page_of(browser) as page:
        page.goto(f"{shop}sessions?trace={TRACE}")
        keys_work(page)
        page.get_by_role("button", name="Fold loop").click()
        expect(page.get_by_role("button", name="Unfold loop")).to_have_attribute("aria-expanded", "false")
        assert "fold=" in page.url
        with page.expect_response(lambda answer: "sessions-list" in answer.url):
            pass
        expect(page.get_by_role("button", name="Unfold loop")).to_be_visible()
        assert "guard" not in names(page)
        page.get_by_role("link", name="Next error").click()
        expect(page.locator(".run tr[aria-current] a[data-row]")).to_have_attribute("title", "parse")


def test_all_of_it_works_by_links_alone(browser: Browser, shop: str) -> None:
    context = browser.new_context(java_script_enabled=False, reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{shop}sessions?trace={TRACE}")
    assert "leaf" not in names(page)
    page.get_by_role("button", name="Unfold deepest").click()
    assert "leaf" in names(page)
    page.get_by_role("button", name="Fold plan").click()
    assert "deepest" not in names(page)
    page.get_by_role("link", name="Next error").click()
    assert selected(page) == "parse"
    expect(page.get_by_role("complementary", name="Span detail")).to_contain_text("12,90")
    page.get_by_role("link", name="Error after").click()  # the drawer lies over the other one here
    assert selected(page) == "last"
    page.goto(f"{shop}tools")
    expect(page.locator(".tools")).to_contain_text("parse")
    page.get_by_role("link", name="Failing").click()
    assert "sort=-failed" in page.url
    context.close()


def tree(page: Page) -> Locator:
    return page.locator(".run a[data-row]")


def test_a_drag_on_the_line_zooms_and_escape_leads_out(browser: Browser, shop: str) -> None:
    with page_of(browser) as page:
        page.goto(f"{shop}sessions?trace={TRACE}&range=7d")
        keys_work(page)
        line = page.locator(".mini .plot")
        box = line.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 8)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 12, steps=4)
        expect(page.locator(".brush")).to_be_visible()
        page.mouse.up()
        page.wait_for_url(re.compile("part_start=.*&part_end="))
        expect(page.locator(".run .part")).to_contain_text("Not shown: 3 calls, 1 tool")
        assert names(page) == ["agent", "plan", "deeper", "deepest"]
        assert "range=7d" in page.url
        page.get_by_role("link", name="Level 3: deeper").click()
        expect(page.get_by_role("complementary", name="Span detail")).to_be_visible()
        page.keyboard.press("Escape")  # closes what is open first
        expect(page.get_by_role("complementary", name="Span detail")).to_have_count(0)
        assert "part_start" in page.url
        page.keyboard.press("Escape")
        page.wait_for_url(lambda url: "part_" not in url)
        expect(tree(page)).to_have_count(10)
        page.go_back()
        expect(tree(page)).to_have_count(4)


def test_the_line_is_read_and_zoomed_by_key_and_again_inside_of_that(browser: Browser, shop: str) -> None:
    with page_of(browser) as page:
        page.goto(f"{shop}sessions?trace={TRACE}")
        keys_work(page)
        for steps in (11, 60):
            line = page.locator(".mini .plot")
            line.focus()
            page.keyboard.press("Home")
            expect(line.locator(".tip")).to_contain_text("+0 ms")
            for _ in range(steps):
                page.keyboard.press("Shift+ArrowRight")
            with page.expect_navigation():
                page.keyboard.press("Enter")
        expect(page.locator(".run .part")).to_contain_text("0 to +2.54 s")
        assert "plan" not in names(page)
        expect(page.locator(".t-axis .ax text").nth(1)).to_have_text("500 ms")
        page.get_by_role("link", name="Show all of it").click()
        expect(tree(page)).to_have_count(10)


def test_a_part_stays_over_the_ticks_and_when_something_is_folded(browser: Browser, shop: str) -> None:
    part = f"part_start={NOW - 60_000}&part_end={NOW - 50_000}"
    with page_of(browser) as page:
        page.goto(f"{shop}sessions?trace={TRACE}&{part}")
        keys_work(page)
        with page.expect_response(
            lambda answer: "sessions-list" in answer.url and "part_start" in answer.url
        ):
            pass
        page.get_by_role("button", name="Fold loop").click()
        expect(tree(page)).to_have_count(2)
        expect(page.get_by_role("status").filter(has_text="Zoomed in")).to_be_visible()


def test_without_scripts_a_quarter_of_the_line_is_a_link(browser: Browser, shop: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{shop}sessions?trace={TRACE}")
    page.get_by_role("link", name="+12.50 s to +25.00 s").click()
    assert names(page) == ["agent", "plan", "deeper", "deepest"]
    page.get_by_role("link", name="Show all of it").click()
    assert len(names(page)) == 10
    context.close()


LABELS = """() => [...document.querySelectorAll(".t-axis .ax text")].map(one => one.getBoundingClientRect())
    .filter(box => box.width).map(box => [box.left, box.right])"""


@pytest.mark.parametrize("width", [390, 1000, 1440, 1600, 2560])
def test_the_labels_of_the_axis_do_not_touch(browser: Browser, shop: str, width: int) -> None:
    with page_of(browser, width=width) as page:
        for more in ("", f"&sel={b'quick'.hex().ljust(16, '0')}"):
            if more and width < 1400:
                continue  # the pane lies over the tree
            page.goto(f"{shop}sessions?trace={QUICK}{more}")
            places = page.evaluate(LABELS)
            assert len(places) > 2
            assert all(after[0] - before[1] > 4 for before, after in pairwise(places)), places


PATHS = (
    f"sessions?trace={TRACE}",
    f"sessions?trace={TRACE}&unfold=all",
    f"sessions?trace={TRACE}&sel={b'parse'.hex().ljust(16, '0')}",
    f"sessions?trace={TRACE}&part_start={NOW - 59_000}&part_end={NOW - 40_000}",
    f"sessions?trace={TRACE}&part_start=5&part_end=6",
    f"sessions?trace={SEEN}&sel={b'seen1'.hex().ljust(16, '0')}",
    f"sessions?trace={SEEN}&sel={b'seen3'.hex().ljust(16, '0')}",
    "calls?q=tool:look_up_the_order",
    "tools",
)


def test_nothing_overflows(browser: Browser, shop: str) -> None:
    with page_of(browser, width=390) as page:
        for path in PATHS:
            page.goto(shop + path)
            for width in (390, 820, 1440, 2560):
                page.set_viewport_size({"width": width, "height": 900})
                assert page.evaluate("document.documentElement.scrollWidth") <= width, path


@pytest.mark.parametrize(
    "look",
    [
        ("dark", 390),
        *(
            pytest.param(look, marks=pytest.mark.full)
            for look in (("light", 1440), ("dark", 1440), ("light", 390))
        ),
    ],
    ids=lambda look: f"{look[0]}-{look[1]}",
)
def test_axe_finds_nothing(browser: Browser, shop: str, axe: str, look: Look) -> None:
    with page_of(browser, *look, reduced_motion="reduce") as page:
        for path in PATHS:
            page.goto(shop + path)
            assert findings(page, axe) == [], path


def test_tools_that_nobody_observes_say_what_is_known_of_them(browser: Browser, shop: str) -> None:
    with page_of(browser) as page:
        page.goto(f"{shop}tools")
        keys_work(page)
        page.get_by_role("button", name="≤ 500 ms").first.click()
        expect(page.get_by_text("At most: from the end of the answer").first).to_be_visible()
        page.keyboard.press("Escape")
        following = page.get_by_role("region", name="What happened next")
        expect(following).to_contain_text("the model asked for open")
        following.get_by_role("link", name="the model asked for it again").click()
        drawer = page.get_by_role("complementary", name="Span detail")
        expect(drawer).to_contain_text("Took at most")
        drawer.get_by_role("link", name="brought the result").click()
        expect(page.locator(".run tr[aria-current] a[data-row]")).to_have_attribute("title", "gpt-6")
        page.goto(f"{shop}tools")
        page.get_by_role("link", name="look_up_the_order", exact=True).first.click()
        expect(page.get_by_role("main")).to_contain_text("2 calls")
