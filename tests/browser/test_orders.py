"""Calls in another order, with one tag, and the attempts of one: by links, before and after scripts run."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from .conftest import page_of

pytestmark = pytest.mark.browser


def costs(page: Page) -> list[float]:
    return [
        float(text.strip("~$").replace(",", "")) if "$" in text else -1.0
        for text in page.locator("table.calls tbody tr td:last-child").all_inner_texts()
    ]


@pytest.mark.parametrize("scripts", [True, pytest.param(False, marks=pytest.mark.full)])
def test_headings_put_all_calls_in_order_and_pages_go_on_in_it(
    browser: Browser, shop: str, *, scripts: bool
) -> None:
    with page_of(browser, java_script_enabled=scripts) as page:
        page.goto(f"{shop}calls")
        page.get_by_role("columnheader", name="Cost").get_by_role("link").click()
        expect(page.get_by_role("columnheader", name="Cost")).to_have_attribute("aria-sort", "descending")
        assert "sort=-cost" in page.url
        expect(page.get_by_text("most expensive first")).to_be_visible()
        first = costs(page)
        assert len(first) == 50
        assert first == sorted(first, reverse=True)
        page.get_by_role("link", name="More").click()
        expect(page.get_by_role("link", name="First", exact=True)).to_be_visible()
        second = costs(page)
        assert second == sorted(second, reverse=True)
        assert first[-1] >= second[0]
        page.locator("table.calls tbody").get_by_role("link").first.click()
        detail = page.get_by_role("complementary", name="Call detail")
        detail.get_by_role("link", name="Call below").click()
        expect(page.locator("table.calls tbody tr").nth(1)).to_have_attribute("aria-current", "true")
        page.go_back()
        page.go_back()
        page.go_back()
        expect(page.get_by_role("link", name="First", exact=True)).to_have_count(0)
        page.get_by_role("columnheader", name="Cost").get_by_role("link").click()
        expect(page.get_by_role("columnheader", name="Cost")).to_have_attribute("aria-sort", "ascending")
        page.get_by_role("link", name="newest first").click()
        expect(page.get_by_role("columnheader", name="Time")).to_have_attribute("aria-sort", "descending")


def test_a_tag_narrows_every_page_and_is_taken_away_again(browser: Browser, shop: str) -> None:
    with page_of(browser) as page:
        page.goto(f"{shop}calls?status=success")
        page.locator("table.calls tbody").get_by_role("link").first.click()
        tag = page.get_by_role("group", name="Tags").get_by_role("link").filter(has_text="release").first
        text = tag.inner_text()
        tag.click()
        chip = page.locator(".filters .chip", has_text=text)
        expect(chip).to_be_visible()
        assert "tag=release=2026.11." in page.url
        for name in ("Overview", "Models", "Errors", "Sessions", "Compare", "Live", "Routes", "Calls"):
            page.get_by_role("navigation", name="Main").get_by_role("link", name=name, exact=True).click()
            expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
            expect(page.locator(".filters .chip", has_text=text)).to_be_visible()
        page.get_by_role("link", name=f"Remove the filter tag {text}").click()
        expect(page.locator(".filters .chip", has_text=text)).to_have_count(0)


def test_the_attempts_of_a_call_are_a_list_of_their_own(browser: Browser, shop: str) -> None:
    with page_of(browser) as page:
        calls = page.request.get(f"{shop}api/calls?limit=500&start=0").json()
        again = next(call["id"] for call in calls if call["attempt"] == 2)
        page.goto(f"{shop}calls?status=success&range=7d&sel={again}")
        link = page.get_by_role("link", name="attempts as a list")
        number = int(link.inner_text().split()[1])
        link.click()
        expect(page.get_by_role("heading", name=f"{number} calls")).to_be_visible()
        expect(page.locator("table.calls tbody tr")).to_have_count(number)
        expect(page.locator(".filters .chip", has_text="attempts")).to_be_visible()


@pytest.mark.parametrize(
    ("scheme", "width"),
    [
        ("light", 390),
        ("dark", 1440),
        pytest.param("dark", 390, marks=pytest.mark.full),
        pytest.param("light", 1440, marks=pytest.mark.full),
    ],
)
def test_nothing_overflows(browser: Browser, shop: str, scheme: str, width: int) -> None:
    shots = os.environ.get("MIHARU_TEST_SHOTS")
    with page_of(browser, scheme, width) as page:  # type: ignore[arg-type]
        for number, path in enumerate(
            ("calls?sort=-cost", "calls?tag=release=2026.11.4&sort=total&range=7d")
        ):
            page.goto(shop + path)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
            if shots:
                page.screenshot(path=Path(shots) / f"{number}-{scheme}-{width}.png")
        page.locator("table.calls tbody").get_by_role("link").first.click()
        expect(page.get_by_role("group", name="Tags")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if shots:
            page.screenshot(path=Path(shots) / f"drawer-{scheme}-{width}.png")
