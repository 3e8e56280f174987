"""What a person sees: both doors, light and dark, while the app makes calls."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from .conftest import Doors

pytestmark = pytest.mark.browser

LIVE_WITHIN_MS = 3000


@contextmanager
def page_of(browser: Browser, scheme: Literal["light", "dark"], width: int = 1440) -> Iterator[Page]:
    """A page that may not say anything to the console, a violation of the CSP least of all."""
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(message.text)

    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
    page = context.new_page()
    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("response", lambda got: complaints.extend([got.url] if got.status >= 400 else []))
    page.add_init_script(
        "addEventListener('securitypolicyviolation', e => console.error(e.violatedDirective))"
    )
    yield page
    context.close()
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("door", ["mount", "standalone"])
def test_a_call_appears_without_a_reload(
    browser: Browser, doors: Doors, door: str, scheme: Literal["light", "dark"]
) -> None:
    address = getattr(doors, door)
    with page_of(browser, scheme) as page:
        page.goto(address)
        page.evaluate("window.stillTheSamePage = true")
        expect(page.get_by_text("POST /chat/{thread_id}/stream")).to_have_count(0)
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


@pytest.mark.parametrize("width", [390, 820, 1440])
def test_nothing_overflows(browser: Browser, doors: Doors, width: int) -> None:
    with page_of(browser, "light", width) as page:
        for path in ("", "calls", "calls?status=error", "?range=7d&measure=tokens&by=route"):
            page.goto(doors.mount + path)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_every_page_works_before_any_script_runs(browser: Browser, doors: Doors) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(doors.standalone)
    page.get_by_role("link", name="Calls", exact=True).click()
    expect(page.get_by_role("heading", name="Calls")).to_be_visible()
    page.locator("tbody").get_by_role("link").first.click()
    expect(page.get_by_role("complementary", name="Call detail")).to_contain_text("gpt-4o-mini")
    context.close()
