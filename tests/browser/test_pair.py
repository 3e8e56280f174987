"""Two calls by mouse, by key and without scripts; and what was said, however hostile, in a real browser."""

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from miharu.batch import Batch
from miharu.call import Call, new_id
from miharu.stores.sqlite import SQLiteStore
from miharu.testing.open_store import both
from tests.dashboard.call.test_media import SVG, WAV, picture, png, url
from tests.dashboard.markdown.test_markdown import XSS
from tests.dashboard.pages.test_pair import claude, gpt

from .conftest import EXAMPLE, _process, keys_work, page_of
from .test_axe import LOOKS, Look, axe, findings

__all__ = ("axe",)

pytestmark = pytest.mark.browser

USER = {"role": "user", "content": "Where is my **order**?"}
EVIL = (
    "\n\n".join(XSS)
    + "\n\n"
    + "*" * 9_000
    + "[" * 5_000
    + "\n"
    + "> " * 2_000
    + "\n\u202egnp.exe\u202c \x1b[31mred"
)


NUMBERS = ", ".join(f'{{"number": {number}}}' for number in range(60))
TREE = (
    '{ "n": 12345678901234567890123, "n": 1.10,\r\n "in": {"far": "\\u6771 \u202e", "list": ['
    + NUMBERS
    + "]}}"
)


@dataclass(frozen=True)
class Talk:
    address: str
    first: str
    second: str
    evil: str
    evil_too: str
    alone: str
    tree: str


def calls() -> list[Call]:
    now = time.time_ns() // 1_000_000

    def made(call: Call, ago: int) -> Call:
        return replace(call, id=new_id(now - ago), timestamp=now - ago, route="POST /chat")

    def side(color: int) -> list[object]:
        parts = [
            {"type": "text", "text": EVIL},
            picture(url("image/png", png(color=color))),
            picture(url("image/svg+xml", SVG)),
            picture("https://evil.example/p.png"),
            {
                "type": "input_audio",
                "input_audio": {"data": url("x", WAV).partition(",")[2], "format": "wav"},
            },
        ]
        return [{"role": "user", "content": parts}]

    first = claude(0, [USER], "It is at sea.\n\nSoon.", settings={"system": "Be brief.", "temperature": 1})
    second = claude(0, [USER], "It is on land.\n\nSoon.", settings={"system": "Be kind.", "temperature": 0.3})
    tree = [{"role": "user", "content": TREE}]
    return [
        made(first, 9000),
        made(second, 8000),
        made(gpt(0, side(7), EVIL + " a"), 7000),
        made(gpt(0, side(8), "b " + EVIL), 6000),
        made(claude(0, [USER], "Once."), 5000),
        made(gpt(0, tree, "Read."), 20_000),
    ]


async def _fill(database: Path, some: list[Call]) -> None:
    store = both(SQLiteStore(f"sqlite+aiosqlite:///{database}"))
    await store.open()
    await store.add(Batch(calls=some))
    await store.close()


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Talk]:
    database = tmp_path_factory.mktemp("talk") / "calls.db"
    some = calls()
    filler = threading.Thread(
        target=lambda: asyncio.run(_fill(database, some))
    )  # Playwright's loop runs here
    filler.start()
    filler.join()
    with _process(["miharu", "dashboard", "--port", "0"], EXAMPLE, database) as address:
        yield Talk(f"{address}/", *(call.id for call in some))


def watched(page: Page, talk: Talk) -> list[str]:
    """What leaves for anywhere else, and what opens a dialog."""
    seen: list[str] = []
    page.on("request", lambda asked: None if asked.url.startswith(talk.address) else seen.append(asked.url))
    page.on("dialog", lambda dialog: seen.append(dialog.message))
    page.on("popup", lambda other: seen.append(other.url))
    return seen


def test_two_ticked_rows_are_laid_side_by_side(browser: Browser, talk: Talk) -> None:
    with page_of(browser) as page:
        page.goto(f"{talk.address}calls")
        page.locator(f"[id=k-{talk.second}]").check()
        tray = page.locator("[data-tray]")
        expect(tray).to_contain_text("1 call chosen.")
        page.goto(f"{talk.address}live")
        expect(page.locator(f"[id=k-{talk.second}]")).to_be_checked()
        page.locator(f"[id=k-{talk.first}]").focus()
        page.keyboard.press("Space")
        tray.get_by_role("link", name="Lay side by side").click()
        expect(page.get_by_role("heading", name="Two calls", level=1)).to_be_visible()
        assert f"a={talk.first}&b={talk.second}" in page.url


def test_a_tick_is_kept_while_the_list_renews_itself(browser: Browser, talk: Talk) -> None:
    """And so is the row that was stepped to, and the words that are open."""
    with page_of(browser) as page:
        page.goto(f"{talk.address}calls")
        keys_work(page)
        page.locator(f"[id=k-{talk.alone}]").check()
        page.keyboard.press("Escape")
        page.locator(f"[id=k-{talk.alone}]").blur()
        page.keyboard.press("j")
        page.locator("button.why").first.click()
        expect(page.locator(".reason:popover-open")).to_be_visible()
        at = page.locator("tr[data-at]").get_attribute("id")
        page.evaluate(
            """() => new Promise(done => {
                const part = document.querySelector("#calls-rows");
                part.removeAttribute("hx-ptag");
                document.querySelector("tbody tr:last-child td").textContent = "stale";
                addEventListener("htmx:after:swap", () => setTimeout(done, 50), { once: true });
                part.dispatchEvent(new CustomEvent("miharu:tick"));
            })"""
        )
        expect(page.locator("tbody tr").last).not_to_contain_text("stale")
        expect(page.locator(f"[id=k-{talk.alone}]")).to_be_checked()
        expect(page.locator("tr[data-at]")).to_have_attribute("id", at or "")
        expect(page.locator(".reason:popover-open")).to_be_visible()


def test_without_scripts_a_form_leads_there(browser: Browser, talk: Talk) -> None:
    context = browser.new_context(java_script_enabled=False, reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{talk.address}calls")
    page.locator(f"[id=k-{talk.second}]").check()
    page.locator(f"[id=k-{talk.first}]").check()
    page.get_by_role("button", name="Lay the two ticked calls side by side").click()
    assert page.url.endswith(f"pair?a={talk.first}&b={talk.second}")
    page.get_by_role("link", name="Next difference, 2 of 2").click()
    assert page.url.endswith("#d2")
    page.locator("summary", has_text="the same").last.click()
    expect(page.get_by_text("Where is my order?")).to_be_visible()
    page.goto(f"{talk.address}calls?sel={talk.first}")
    page.get_by_role("link", name="Lay beside another call").click()
    page.get_by_role("region", name="Others like it").locator("tbody").get_by_role("link").last.click()
    assert f"a={talk.first}&b=" in page.url
    context.close()


def test_by_keys_alone(browser: Browser, talk: Talk) -> None:
    with page_of(browser) as page:
        page.goto(f"{talk.address}calls")
        keys_work(page)
        page.keyboard.press("j")
        page.keyboard.press("b")
        expect(page.locator(f"[id=k-{talk.alone}]")).to_be_checked()
        for _ in range(3):
            page.keyboard.press("j")
        page.keyboard.press("b")
        page.wait_for_url("**/pair?*")
        assert f"a={talk.second}&b={talk.alone}" in page.url
        page.goto(f"{talk.address}pair?a={talk.first}&b={talk.second}")
        keys_work(page)
        page.keyboard.press("n")
        expect(page.locator("#d1")).to_be_focused()
        expect(page.get_by_role("navigation", name="Differences")).to_contain_text("1 of 2 differences")
        page.keyboard.press("n")
        expect(page.locator("#d2")).to_be_focused()
        page.keyboard.press("n")
        expect(page.locator("#d1")).to_be_focused()


def test_b_in_the_drawer_leads_to_what_may_be_laid_beside_it(browser: Browser, talk: Talk) -> None:
    with page_of(browser) as page:
        page.goto(f"{talk.address}calls?sel={talk.first}")
        keys_work(page)
        page.keyboard.press("b")
        page.wait_for_url("**/pair?*")
        expect(page.get_by_role("heading", name="Others like it, within a day")).to_be_visible()


@pytest.mark.parametrize(("width", "beside"), [(390, False), (1440, True)])
def test_narrow_pages_have_one_above_the_other(
    browser: Browser, talk: Talk, width: int, *, beside: bool
) -> None:
    with page_of(browser, "light", width) as page:
        page.goto(f"{talk.address}pair?a={talk.first}&b={talk.second}")
        a, b = (page.locator(f"#d1 > .{side}").bounding_box() for side in "ab")
        assert a is not None
        assert b is not None
        assert (a["y"] == b["y"]) is beside
        assert (a["x"] == b["x"]) is not beside
        for path in (f"a={talk.evil}&b={talk.evil_too}&show=all", f"a={talk.evil}&b={talk.first}&lay=below"):
            page.goto(f"{talk.address}pair?{path}")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_a_reason_is_opened_by_key_and_closed_again(browser: Browser, talk: Talk) -> None:
    with page_of(browser) as page:
        page.goto(f"{talk.address}calls?sel={talk.first}")
        keys_work(page)
        page.keyboard.press(" ")  # paused: what is asked for then is asked for by a key
        expect(page.locator("[data-live-button]")).to_have_attribute("aria-pressed", "true")
        first = page.get_by_role("complementary", name="Call detail").locator("button.why").first
        first.focus()
        page.keyboard.press("Enter")
        words = page.locator(".drawer .reason:popover-open")
        expect(words).to_have_text("Not a stream: the answer came whole.")
        box, place = words.bounding_box(), first.bounding_box()
        assert box is not None
        assert place is not None
        assert abs(box["y"] - place["y"]) < 120  # beside what it explains
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.keyboard.press("Escape")
        expect(words).to_have_count(0)
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
        assert not asked  # the drawer is closed by a request
        expect(page.get_by_role("complementary", name="Call detail")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("complementary", name="Call detail")).to_have_count(0)


@pytest.mark.parametrize(
    "where",
    [
        "calls?sel={evil}",
        "calls?sel={evil}&tab=text",
        "calls?sel={evil}&tab=request",
        "pair?a={evil}&b={evil_too}",
        "pair?a={evil}&b={evil_too}&show=all",
    ],
)
def test_nothing_that_was_said_runs_or_leaves(browser: Browser, talk: Talk, where: str) -> None:
    with page_of(browser) as page:
        seen = watched(page, talk)
        page.goto(talk.address + where.format(evil=talk.evil, evil_too=talk.evil_too))
        keys_work(page)
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
        page.evaluate("document.querySelectorAll('[loading=lazy]').forEach(one => { one.loading = 'eager' })")
        page.wait_for_load_state("networkidle")
        assert seen == []
        assert (
            page.locator("main script, main iframe, main object, main embed, main svg[onload]").count() == 0
        )
        names = page.evaluate(
            "[...document.querySelectorAll('*')].flatMap(one => one.getAttributeNames())"
            ".filter(name => name.startsWith('on'))"
        )
        assert names == []
        assert page.locator("a[href^='javascript'],a[href^='http'],a[href^='data']").count() == 0
        assert "\u202e" not in page.inner_text("body")


def test_pictures_and_sounds_are_shown_and_vectors_are_not(browser: Browser, talk: Talk) -> None:
    with page_of(browser) as page:
        page.goto(f"{talk.address}calls?sel={talk.evil}")
        image = page.locator("img.held")
        expect(image).to_have_count(1)
        image.scroll_into_view_if_needed()
        expect(image).to_have_js_property("naturalWidth", 60)
        sound = page.locator("audio.held")
        expect(sound).to_have_count(1)
        length = sound.evaluate(
            """one => new Promise((done, failed) => {
                one.onloadedmetadata = () => done(one.duration);
                one.onerror = () => failed(one.error.message);
                one.preload = "auto";
                one.load();
            })"""
        )
        assert length > 0
        opened = page.context.new_page()
        answer = opened.goto(talk.address + (image.get_attribute("src") or ""))
        assert answer is not None
        assert answer.headers["content-type"] == "image/png"
        assert opened.evaluate("self.origin") == "null"
        opened.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_json_is_opened_and_closed_by_hand_and_by_key(browser: Browser, talk: Talk, *, scripts: bool) -> None:
    with page_of(browser, java_script_enabled=scripts) as page:
        page.goto(f"{talk.address}calls?sel={talk.tree}")
        tree = page.locator(".jt").first
        far = tree.get_by_text("number: 7", exact=True)
        expect(tree.get_by_text("12345678901234567890123", exact=True)).to_be_visible()
        expect(far).to_be_hidden()
        tree.locator("summary", has_text='"list"').click()
        expect(far).to_be_visible()
        tree.locator("summary", has_text='"list"').focus()
        page.keyboard.press("Enter")
        expect(far).to_be_hidden()


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"{look[0]}-{look[1]}")
def test_a_tree_fits_and_axe_finds_nothing(browser: Browser, talk: Talk, axe: str, look: Look) -> None:
    with page_of(browser, *look) as page:
        for tab in ("pretty", "request"):
            page.goto(f"{talk.address}calls?sel={talk.tree}&tab={tab}")
            page.locator(".jt summary", has_text='"list"').first.click()
            assert page.evaluate("document.documentElement.scrollWidth") <= look[1]
            assert findings(page, axe) == [], tab


def test_the_copy_of_json_is_what_was_sent(browser: Browser, talk: Talk) -> None:
    with page_of(browser, permissions=["clipboard-read", "clipboard-write"]) as page:
        page.goto(f"{talk.address}calls?sel={talk.tree}")
        page.locator(".jt").first.get_by_role("button", name="Copy").click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == TREE
