"""By keyboard, by mouse, and by the address: the whole dashboard in a real browser."""

import re

import pytest
from playwright.sync_api import Browser, expect

from .conftest import keys_work, page_of

pytestmark = pytest.mark.browser

NEVER_ANSWERED = """() => {
  const ask = window.fetch;
  window.begun = window.brokenOff = 0;
  window.fetch = (to, how) => !to.includes("sel=") ? ask(to, how) : new Promise((_, refuse) => {
    begun += 1;
    how.signal.addEventListener("abort", () => { brokenOff += 1; refuse(how.signal.reason); });
  });
}"""
"""What a page asks about a call is on its way for good."""


def test_every_page_works_before_any_script_runs(browser: Browser, shop: str) -> None:
    context = browser.new_context(java_script_enabled=False, reduced_motion="reduce")
    page = context.new_page()
    page.goto(shop)
    for name in ("Live", "Calls", "Routes", "Models", "Sessions", "Errors", "Compare", "Overview"):
        page.get_by_role("navigation", name="Main").get_by_role("link", name=name, exact=True).click()
        expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
    page.get_by_role("link", name="7d").click()
    assert "range=7d" in page.url
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Calls", exact=True).click()
    page.locator("summary", has_text="Filter").click()
    page.get_by_role("textbox", name="Model").fill("gpt-6.1-sol")
    page.get_by_role("button", name="Apply").click()
    assert "model=gpt-6.1-sol" in page.url
    assert "range=7d" in page.url
    page.locator("tbody").get_by_role("link").first.click()
    detail = page.get_by_role("complementary", name="Call detail")
    expect(detail).to_contain_text("gpt-6.1-sol")
    detail.get_by_role("link", name="Raw request").click()
    expect(detail.locator(".box-tree")).to_contain_text("model")
    page.get_by_role("link", name="Close").click()
    expect(detail).to_have_count(0)
    page.locator("summary", has_text="Custom").click()
    page.get_by_label("From").fill("2026-01-01T00:00")
    page.get_by_label("To", exact=True).fill("2026-01-02T12:30")
    page.get_by_role("button", name="Show").click()
    assert "start=2026-01-01T00%3A00" in page.url or "start=2026-01-01T00:00" in page.url
    expect(page.get_by_text("Fixed range")).to_be_visible()
    page.get_by_label("Find a call").fill("sonnet")
    page.get_by_label("Find a call").press("Enter")
    expect(page.get_by_role("heading", name="Find", level=1)).to_be_visible()
    context.close()


def test_the_keys_lead_everywhere(browser: Browser, shop: str) -> None:
    with page_of(browser) as page:
        page.goto(shop)
        for key, name in (("c", "Calls"), ("l", "Live"), ("r", "Routes"), ("m", "Models"), ("s", "Sessions")):
            keys_work(page)
            page.keyboard.press("g")
            page.keyboard.press(key)
            expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
        keys_work(page)
        page.keyboard.press("c")
        expect(page.get_by_role("heading", name="Compare", level=1)).to_be_visible()
        keys_work(page)
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog", name="Keyboard")).to_be_hidden()
        page.keyboard.press("t")
        expect(page.get_by_label("From").first).to_be_focused()
        page.keyboard.press("Escape")
        page.keyboard.press("Escape")
        page.keyboard.press("d")
        expect(page.locator("html")).to_have_attribute("data-theme", "light")
        page.keyboard.press("d")
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        page.reload()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_the_filter_form_offers_what_there_is_once_it_is_open(browser: Browser, shop: str) -> None:
    with page_of(browser) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{shop}calls?range=7d")
        keys_work(page)
        assert not any("choices" in url for url in asked)
        page.keyboard.press("f")
        model = page.get_by_role("combobox", name="Model")
        expect(model).to_be_focused()
        model.select_option("gpt-6.1-sol")
        page.locator("summary", has_text="Filter").click()
        expect(model).to_be_hidden()
        page.locator("summary", has_text="Filter").click()
        assert model.input_value() == "gpt-6.1-sol"
        page.get_by_role("combobox", name="Status").select_option("success")
        page.get_by_role("button", name="Apply").click()
        expect(page.get_by_role("link", name="Remove the filter model gpt-6.1-sol")).to_be_visible()
        assert "status=success" in page.url
        assert "range=7d" in page.url
        assert sum("choices" in url for url in asked) == 1


def test_one_form_is_open_at_a_time(browser: Browser, shop: str) -> None:
    with page_of(browser) as page:
        page.goto(f"{shop}compare?range=7d")
        keys_work(page)
        for name in ("range", "export", "other"):
            page.locator(f"[data-pick={name}] summary").press("Enter")
            expect(page.locator(f"[data-pick={name}]")).to_have_attribute("open", "")
            page.keyboard.press("f")
            expect(page.get_by_role("combobox", name="Status")).to_be_visible()
            expect(page.locator("[data-pick][open]")).to_have_count(1)


def test_keys_of_one_letter_can_be_switched_off(browser: Browser, shop: str) -> None:
    with page_of(browser) as page:
        page.goto(shop)
        page.keyboard.press("?")
        page.get_by_label("Keys of one letter are on").uncheck()
        page.keyboard.press("Escape")
        page.keyboard.press("c")
        page.reload()
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keyboard")).to_be_hidden()
        expect(page.get_by_role("heading", name="Overview", level=1)).to_be_visible()


def test_rows_open_close_and_step_by_key_and_by_back(browser: Browser, shop: str) -> None:
    with page_of(browser) as page:
        page.goto(f"{shop}calls?range=7d")
        page.evaluate("window.stillTheSamePage = true")
        detail = page.get_by_role("complementary", name="Call detail")
        page.keyboard.press("j")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        expect(detail).to_be_visible()
        second = page.url
        assert "range=7d" in second
        page.keyboard.press("]")
        expect(page).not_to_have_url(second)
        third = page.url
        expect(detail).to_contain_text(third.partition("sel=")[2])  # the keys step from what is shown
        page.keyboard.press("[")
        expect(page).to_have_url(second)
        expect(detail).to_contain_text(second.partition("sel=")[2])  # the address comes before its drawer
        page.keyboard.press("Escape")
        expect(detail).to_have_count(0)
        assert "sel=" not in page.url
        expect(page.locator(f"[id=c-{second.partition('sel=')[2]}]:focus-within")).to_be_visible()
        for expected in (second, third, second):
            page.go_back()
            expect(page).to_have_url(expected)
        expect(detail).to_be_visible()
        page.go_forward()
        expect(page).to_have_url(third)
        expect(page.locator("tr[aria-current=true]")).to_have_attribute(
            "id", "c-" + third.partition("sel=")[2]
        )


def test_a_call_that_comes_late_does_not_open_what_was_closed(browser: Browser, shop: str) -> None:
    with page_of(browser) as page:
        page.goto(f"{shop}calls?range=7d")
        keys_work(page)
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        detail = page.get_by_role("complementary", name="Call detail")
        expect(detail).to_be_visible()
        page.evaluate(NEVER_ANSWERED)
        page.keyboard.press("]")
        page.wait_for_function("begun === 1")
        page.keyboard.press("Escape")
        page.wait_for_function("brokenOff === 1")
        expect(detail).to_have_count(0)
        assert "sel=" not in page.url


def test_the_drawer_shows_what_was_said_and_copies_it(browser: Browser, shop: str) -> None:
    with page_of(browser) as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.goto(f"{shop}calls?range=7d&route=POST /agents/%7Bname%7D/run&model=claude-sonnet-5-5")
        page.locator("tbody").get_by_role("link").first.click()
        detail = page.get_by_role("complementary", name="Call detail")
        expect(detail).to_contain_text("You are the support agent for a small bookshop.")
        expect(detail).to_contain_text("Read from cache") if detail.get_by_text(
            "Read from cache"
        ).count() else None
        detail.get_by_role("link", name="Raw response").click()
        expect(detail.locator("#said pre.raw")).to_contain_text("message_start")
        assert "tab=response" in page.url
        detail.get_by_role("button", name="Copy as cURL").click()
        expect(detail.get_by_role("button", name="Copied")).to_be_visible()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied.startswith("curl https://api.anthropic.com/v1/messages")
        assert "$ANTHROPIC_API_KEY" in copied


def test_a_drag_zooms_and_escape_leads_out(browser: Browser, shop: str) -> None:
    with page_of(browser) as page:
        page.goto(f"{shop}?by=route")
        box = page.locator(".plot").first.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 80)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 90, steps=4)
        expect(page.locator(".brush")).to_be_visible()
        page.mouse.up()
        page.wait_for_url(re.compile(r"start=.*&end="))
        assert "by=route" in page.url
        expect(page.locator(".chip time").first).to_be_visible()
        page.keyboard.press("Escape")
        page.wait_for_url(lambda url: "start=" not in url)
        assert "by=route" in page.url
        page.go_back()
        page.wait_for_url(re.compile(r"start="))


def test_a_chart_is_read_and_zoomed_by_key(browser: Browser, shop: str) -> None:
    with page_of(browser) as page:
        page.goto(shop)
        plot = page.locator(".plot").first
        plot.focus()
        page.keyboard.press("Home")
        tip = plot.locator(".tip")
        first = tip.inner_text()
        page.keyboard.press("ArrowRight")
        assert tip.inner_text() != first
        page.keyboard.press("End")
        for _ in range(3):
            page.keyboard.press("Shift+ArrowLeft")
        expect(plot.locator(".brush")).to_be_visible()
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(r"start=.*&end="))


def test_find_answers_while_one_types(browser: Browser, shop: str) -> None:
    with page_of(browser) as page:
        page.goto(f"{shop}models")
        page.keyboard.press("/")
        page.keyboard.type("sonnet")
        hit = page.locator("#found").get_by_role("link", name="claude-sonnet-5-5")
        expect(hit).to_be_visible()
        hit.click()
        expect(page.get_by_role("heading", name="Calls", level=1)).to_be_visible()
        assert "model=claude-sonnet-5-5" in page.url


def test_what_is_typed_before_the_scripts_are_ready_is_found_too(browser: Browser, shop: str) -> None:
    with page_of(browser) as page:
        page.add_init_script(
            "window.late = []; const later = setTimeout;"
            "window.setTimeout = (f, ms, ...more) => ms || !late ? later(f, ms, ...more) : late.push(f)"
        )
        page.goto(f"{shop}models")
        page.keyboard.press("/")
        page.keyboard.type("sonnet")
        page.evaluate("() => { const held = late; late = null; for (const f of held) f() }")
        expect(page.locator("#found").get_by_role("link", name="claude-sonnet-5-5")).to_be_visible()


def test_a_view_is_saved_and_forgotten(browser: Browser, shop: str) -> None:
    with page_of(browser) as page:
        page.goto(f"{shop}calls?status=error&range=7d")
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.on("dialog", lambda _: pytest.fail("a dialog of the browser"))
        page.get_by_role("button", name="Save this view").press("Enter")
        assert page.get_by_label("Name", exact=True).input_value() == "Calls, error"
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="Save this view")).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.type("Everything broken")
        page.keyboard.press("Enter")
        expect(page.get_by_role("link", name="Everything broken")).to_be_visible()
        page.goto(shop)
        page.get_by_role("button", name="Copy the link to Everything broken").press("Enter")
        expect(page.locator("[data-saved-said]")).to_have_text("The link is copied")
        assert page.evaluate("navigator.clipboard.readText()") == f"{shop}calls?status=error&range=7d"
        page.get_by_role("link", name="Everything broken").click()
        expect(page).to_have_url(f"{shop}calls?status=error&range=7d")
        page.get_by_role("button", name="Forget the view Everything broken").click()
        expect(page.get_by_role("link", name="Everything broken")).to_have_count(0)


def test_times_are_those_of_the_reader(browser: Browser, shop: str) -> None:
    with page_of(browser, timezone_id="Asia/Kathmandu") as page:
        page.goto(f"{shop}calls")
        expect(page.locator("[data-zone]").first).to_have_text(re.compile("Kat(h)?mandu"))
        time = page.locator("tbody time").first
        shown = time.inner_text()
        hours, minutes = (time.get_attribute("datetime") or "")[11:16].split(":")
        local = (int(hours) * 60 + int(minutes) + 345) % 1440
        assert f"{local // 60:02}:{local % 60:02}" in shown
        page.locator("summary", has_text="Custom").click()
        page.get_by_label("From").fill("2026-01-01T05:45")
        page.get_by_label("To", exact=True).fill("2026-01-01T06:45")
        page.get_by_role("button", name="Show").click()
        page.wait_for_url(re.compile("start=2026-01-01T00%3A00Z|start=2026-01-01T00:00Z"))
        assert re.search(r"end=2026-01-01T01(:|%3A)00Z", page.url)


@pytest.mark.parametrize("option", ["reduced_motion", "forced_colors"])
def test_it_respects_what_the_reader_has_set(browser: Browser, shop: str, option: str) -> None:
    value = {"reduced_motion": "reduce", "forced_colors": "active"}[option]
    with page_of(browser, **{option: value}) as page:  # type: ignore[arg-type]
        page.goto(f"{shop}live")
        if option == "reduced_motion":
            assert (
                page.evaluate("getComputedStyle(document.querySelector('.pulse'), '::after').animationName")
                == "none"
            )
        else:
            bar = "getComputedStyle(document.querySelector('.bar')).fill"
            assert page.evaluate(bar) not in {"none", "rgba(0, 0, 0, 0)"}
