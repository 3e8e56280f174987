"""No page scrolls sideways, at ten widths; and a wide screen is used."""

import pytest
from playwright.sync_api import Browser

from miharu.dashboard.routes import SCREENS

from .conftest import page_of

pytestmark = pytest.mark.browser
WIDTHS = (360, 820, 1440)
BETWEEN = (390, 480, 640, 1080, 1280, 1920, 2560)
"""Where the long run looks as well."""
WIDE = 1280
CUT_OFF = """all => all.filter(one => one.scrollWidth > one.clientWidth && !one.closest(".twin"))
    .map(one => one.innerText.slice(0, 80))"""
"""Tables of which a part lies outside of its place."""
PLACES = [
    *(f"{screen.path}?range=7d" for screen in SCREENS),
    *("live", "find?q=gpt", "compare?by=route", "?range=7d&measure=tokens&by=route", "calls?status=error"),
    "calls?range=7d&sort=score:helpful",
    "models?range=7d&score=helpful",
    "users?range=7d&user=u_1001",
    "?model=nothing",
]


@pytest.mark.parametrize("widths", [WIDTHS, pytest.param(BETWEEN, marks=pytest.mark.full)], ids=str)
@pytest.mark.parametrize("place", PLACES)
def test_no_page_scrolls_sideways(browser: Browser, shop: str, place: str, widths: tuple[int, ...]) -> None:
    with page_of(browser, width=widths[0]) as page:
        page.goto(shop + place)
        for width in widths:
            page.set_viewport_size({"width": width, "height": 900})
            wide, shown, main, inside = page.evaluate(
                "[document.documentElement, document.querySelector('main')]"
                ".flatMap((one, at) => [one.scrollWidth, at ? one.clientWidth : innerWidth])"
            )
            assert (wide, shown) == (width, width), width
            assert main <= inside, width
            if width >= WIDE:  # a narrow screen scrolls what it has no room for
                assert page.locator(".tbl").evaluate_all(CUT_OFF) == [], width


def test_a_wide_overview_has_twelve_columns_and_the_same_type(browser: Browser, shop: str) -> None:
    cards = ("h-spend", "h-latency", "h-broke", "h-score", "h-routes", "h-usage", "h-recent")
    with page_of(browser, width=1440) as page:
        page.goto(shop + "?range=7d")
        boxes: dict[int, dict[str, dict[str, float]]] = {}
        sizes: dict[int, set[str]] = {}
        for width in (1440, 1920, 2560):
            page.set_viewport_size({"width": width, "height": 900})
            boxes[width] = {
                name: page.locator(f"section[aria-labelledby={name}]").evaluate(
                    "one => { const b = one.getBoundingClientRect();"
                    " return { x: b.x, y: b.y, right: b.right, width: b.width } }"
                )
                for name in cards
            }
            sizes[width] = set(
                page.locator("h2:visible, .num.strong:visible, .kpi .v:visible").evaluate_all(
                    "all => all.map(one => `${one.localName} ${getComputedStyle(one).fontSize}`)"
                )
            )
    narrow = boxes[1440]
    assert (
        narrow["h-spend"]["y"] < narrow["h-latency"]["y"] < narrow["h-usage"]["y"] < narrow["h-recent"]["y"]
    )
    for width in (1920, 2560):
        found = boxes[width]
        assert found["h-spend"]["y"] == found["h-latency"]["y"] == found["h-broke"]["y"]
        assert found["h-usage"]["y"] == found["h-recent"]["y"]
        assert found["h-score"]["y"] == found["h-routes"]["y"]
        column = (found["h-recent"]["right"] - found["h-spend"]["x"] + 16) / 12
        spans = {"h-spend": 6, "h-latency": 4, "h-broke": 2}
        for name, span in spans.items():
            assert found[name]["width"] == pytest.approx(span * column - 16, abs=1), (width, name)
        assert found["h-usage"]["width"] / found["h-recent"]["width"] == pytest.approx(7 / 5, abs=0.01)
        assert found["h-recent"]["right"] <= width
        assert sizes[width] == sizes[1440]
