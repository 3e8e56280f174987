"""What a person sees: both doors, light and dark, while the app makes calls."""

import re
import threading
from typing import Literal

import httpx
import pytest
from playwright.sync_api import Browser, expect

from .conftest import Doors, page_of

pytestmark = pytest.mark.browser

LIVE_WITHIN_MS = 3000


@pytest.mark.parametrize(
    ("door", "scheme"),
    [
        ("mount", "light"),
        pytest.param("standalone", "dark", marks=pytest.mark.full),
        pytest.param("mount", "dark", marks=pytest.mark.full),
        pytest.param("standalone", "light", marks=pytest.mark.full),
    ],
)
def test_a_call_appears_without_a_reload(
    browser: Browser, doors: Doors, door: str, scheme: Literal["light", "dark"]
) -> None:
    address = getattr(doors, door)
    with page_of(browser, scheme) as page:
        page.goto(address)
        page.evaluate("window.stillTheSamePage = true")
        expect(page.get_by_text("POST /chat/{thread_id}/stream")).to_have_count(0)
        page.locator("#overview-recent").scroll_into_view_if_needed()
        doors.app.post("/chat/2/stream", json={"text": "Hello?"}).raise_for_status()
        row = page.locator("tbody tr").filter(has_text="/chat/{thread_id}/stream").first
        expect(row).to_be_visible(timeout=LIVE_WITHIN_MS)
        assert page.evaluate("window.stillTheSamePage")
        background = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert (background == "rgb(9, 9, 11)") == (scheme == "dark")

        page.goto(f"{address}calls")
        page.evaluate("window.stillTheSamePage = true")
        doors.app.post("/summarise", json={"text": "A long story."}).raise_for_status()
        row = page.locator("tbody tr").filter(has_text="/summarise").first
        expect(row).to_be_visible(timeout=LIVE_WITHIN_MS)
        assert page.evaluate("window.stillTheSamePage")
        row.get_by_role("link").first.click()
        drawer = page.get_by_role("complementary", name="Call detail")
        expect(drawer).to_contain_text("gpt-4o-mini")
        expect(drawer).to_contain_text("capture_content=True")
        assert "sel=" in page.url
        page.keyboard.press("Escape")
        expect(drawer).to_have_count(0)
        page.go_back()
        expect(page.get_by_role("complementary", name="Call detail")).to_be_visible()


def test_a_call_that_runs_is_seen_in_its_own_process(browser: Browser, slow: httpx.Client) -> None:
    slow.post("/summarise", json={"text": "The first call makes the database."}).raise_for_status()
    with page_of(browser) as page:
        page.goto(str(slow.base_url.join("/miharu/live")))
        expect(page.get_by_text("No call is running.")).to_be_visible()
        asking = threading.Thread(
            target=lambda: slow.post("/chat/3/stream", json={"text": "Slowly, please."})
        )
        asking.start()
        running = page.locator("[data-elapsed]")
        expect(running).to_be_visible(timeout=LIVE_WITHIN_MS)
        expect(page.get_by_text("waiting for the answer")).to_be_visible()
        expect(page.locator("table.run")).to_contain_text("/chat/{thread_id}/stream")
        expect(running).to_have_text(re.compile(r"^[1-9]\.\d s$"), timeout=LIVE_WITHIN_MS)
        asking.join()
        expect(running).to_have_count(0, timeout=LIVE_WITHIN_MS)
        row = page.locator("tr[id^='c-']").filter(has_text="/chat/{thread_id}/stream").first
        expect(row).to_be_visible(timeout=LIVE_WITHIN_MS)


def test_elsewhere_it_says_that_it_cannot_see_what_runs(browser: Browser, doors: Doors) -> None:
    with page_of(browser) as page:
        page.goto(f"{doors.standalone}live")
        expect(page.get_by_text("Calls that still run cannot be seen from here.")).to_be_visible()


def test_it_pauses_and_goes_on(browser: Browser, doors: Doors) -> None:
    with page_of(browser) as page:
        page.goto(f"{doors.standalone}live")
        button = page.locator("[data-live-button]")
        expect(button).to_have_text("Live")
        page.keyboard.press("Space")
        expect(button).to_have_text("Paused")
        expect(button).to_have_attribute("aria-pressed", "true")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        doors.app.post("/summarise", json={"text": "Unseen."}).raise_for_status()
        page.wait_for_timeout(2500)  # nothing is asked for: there is no other state to wait for
        assert asked == []
        page.keyboard.press("Space")
        expect(button).to_have_text("Live")
        expect(page.locator("tr[id^='c-']").filter(has_text="/summarise").first).to_be_visible(
            timeout=LIVE_WITHIN_MS
        )


def test_only_what_can_be_seen_is_asked_for(browser: Browser, doors: Doors) -> None:
    with page_of(browser) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url.rpartition("/")[2].partition("?")[0]))
        page.goto(doors.standalone)
        with page.expect_request(re.compile("overview-now")):
            pass
        with page.expect_request(re.compile("overview-now")):
            pass
        assert "overview-recent" not in asked  # it is below the fold
        with page.expect_request(re.compile("overview-recent")):
            page.locator("#overview-recent").scroll_into_view_if_needed()
