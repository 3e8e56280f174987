"""axe-core finds nothing at all on any page, light or dark, wide or narrow.

It is fetched by ``scripts/test`` into a temporary folder, and named by ``AXE``.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Browser, Page, expect

from miharu.dashboard.access.refusals import Why, locked
from miharu.dashboard.routes import SCREENS

from .conftest import page_of

pytestmark = pytest.mark.browser
AXE = Path(os.environ.get("AXE", "node_modules/axe-core/axe.min.js"))
STANDARDS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
PLACES = {
    **{screen.path or "overview": f"{screen.path}?range=7d" for screen in SCREENS},
    "one route": "routes?route=POST /agents/%7Bname%7D/run",
    "found": "find?q=gpt",
    "nothing found": "find?q=no such thing",
    "calls by cost, with a tag": "calls?range=7d&tag=release=2026.11.4&sort=-cost",
    "no calls": "calls?model=nothing",
    "no two calls": "pair",
    "an empty overview": "?model=nothing",
}
OPENED = (
    *("a call", "a failed call", "a raw request", "a session"),
    *("two calls", "two calls below each other, whole", "a call alone", "a call as text"),
)
ORDINARY = {*(screen.path or "overview" for screen in SCREENS), "a call", "a session", "two calls"}
"""What the ordinary run looks at; the others show the same in another state."""
PICKED = ("overview", "calls", "sessions", "compare")
"""Pages on which each form that is opened is looked at; the others have the same."""
Look = tuple[Literal["light", "dark"], int]
LOOKS: list[object] = [
    ("light", 1440),
    ("dark", 390),
    pytest.param(("dark", 1440), marks=pytest.mark.full),
    pytest.param(("light", 390), marks=pytest.mark.full),
]


@pytest.fixture(scope="module")
def axe() -> str:
    if not AXE.is_file():
        pytest.skip("axe-core is not here; scripts/test fetches it (AXE=…/axe.min.js)")
    return AXE.read_text()


@pytest.fixture(scope="module")
def places(browser: Browser, shop: str) -> Mapping[str, str]:
    """Where to look, with what can be opened in this shop."""

    def first(path: str) -> str:
        page.goto(shop + path)
        return page.locator("tbody").get_by_role("link").first.get_attribute("href") or ""

    def call_id(link: str) -> str:
        return parse_qs(link.partition("?")[2])["sel"][0]

    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    call = first("calls?range=7d&route=POST /agents/%7Bname%7D/run")
    one, other = (
        call_id(first(f"calls?range=7d&route=POST /agents/%7Bname%7D/run&model={model}"))
        for model in ("claude-sonnet-5-5", "gpt-6.1-sol")
    )
    two = f"pair?range=7d&a={one}&b={other}"
    links = (
        *(call, first("calls?range=7d&status=error"), f"{call}&tab=request", first("sessions?range=7d")),
        *(two, f"{two}&show=all&lay=below", f"pair?range=7d&a={one}", f"{call}&tab=text"),
    )
    context.close()
    return PLACES | dict(zip(OPENED, links, strict=True))


def findings(page: Page, axe: str, part: str = "html") -> list[str]:
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(axe)
    found = page.evaluate(
        "([part, tags]) => axe.run(part, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']})"
        ".then(r => r.violations)",  # else it also works out how to name each element that passed
        [part, list(STANDARDS)],
    )
    return [
        f"{one['impact']} {one['id']}: {one['help']} {[node['target'] for node in one['nodes'][:4]]}"
        for one in found
    ]


@pytest.mark.parametrize(
    "place",
    [pytest.param(one, marks=() if one in ORDINARY else pytest.mark.full) for one in (*PLACES, *OPENED)],
)
def test_a_page(browser: Browser, shop: str, places: Mapping[str, str], axe: str, place: str) -> None:
    """Light and wide with all open; then all of that dark and narrow."""
    with page_of(browser, "light", 1440) as page:
        page.goto(shop + places[place])
        open_all(page)
        assert findings(page, axe) == []
        page.emulate_media(color_scheme="dark")
        page.set_viewport_size({"width": 390, "height": 900})
        assert findings(page, axe) == []
        if place in PICKED:
            look_at_forms(page, axe)


@pytest.mark.full
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("place", [*PLACES, *OPENED])
def test_a_page_in_each_way(
    browser: Browser,
    shop: str,
    places: Mapping[str, str],
    axe: str,
    place: str,
    width: int,
    scheme: Literal["light", "dark"],
) -> None:
    with page_of(browser, scheme, width) as page:
        page.goto(shop + places[place])
        assert findings(page, axe) == []
        open_all(page)
        assert findings(page, axe) == []
        look_at_forms(page, axe)


def open_all(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details:not([data-pick])').forEach(one => { one.open = true })")


def look_at_forms(page: Page, axe: str) -> None:
    for pick in page.locator("[data-pick]:visible").all():
        pick.evaluate("one => { one.open = true }")
        expect(pick.locator("[data-offer]")).to_have_count(0)
        assert findings(page, axe, "[data-pick][open]") == []


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"{look[0]}-{look[1]}")
def test_the_list_of_keys_and_the_token_page(browser: Browser, shop: str, axe: str, look: Look) -> None:
    with page_of(browser, *look) as page:
        page.goto(shop)
        page.keyboard.press("?")
        assert findings(page, axe) == []
        page.set_content(locked(Why.STRANGER).body.decode())
        assert findings(page, axe) == []


def test_a_page_that_is_not_there(browser: Browser, shop: str, axe: str) -> None:
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{shop}nope")
    assert findings(page, axe) == []
    context.close()
