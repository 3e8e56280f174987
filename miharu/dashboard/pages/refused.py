"""A filter that is not understood: its text again, every place in it, why, and what mends it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from miharu.conditions.faults import Fault
from miharu.dashboard.address.view import FILTERS, View
from miharu.dashboard.address.zones import zone_of
from miharu.dashboard.http.headers import make_page
from miharu.dashboard.http.menu import MENU
from miharu.dashboard.http.page import Page, PageRequest, Site
from miharu.dashboard.http.templates import render
from miharu.errors import ConditionError

__all__ = ("page",)

_MOST = 20
"""Places that are shown."""
_SHOWN = frozenset(path for group in MENU for path, *_ in group)
"""Where the text is asked again."""


@dataclass(frozen=True, slots=True)
class Place:
    """One place that is not understood."""

    at: int
    """Counted from 1."""
    what: str
    reason: str
    remedy: str | None
    link: str | None
    """The same page with this place mended."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the text."""

    text: str
    is_fault: bool


def page(request: PageRequest, site: Site, error: ConditionError) -> Page:
    asked = {"q", *(name for name in request.repeated if name in FILTERS)}  # all of it is in the text
    left = {name: value for name, value in request.params.items() if name not in asked}
    view = View.read(left, zone_of(request.headers))
    path = request.path.partition("-")[0]
    path = path if path in _SHOWN else "calls"

    def link(text: str) -> str:
        plain = view.link(path)
        return f"{plain}{'&' if '?' in plain else '?'}{urlencode({'q': text}, errors='replace')}"

    faults = error.faults[:_MOST]
    html = render(
        "pages/refused.html",
        site=site,
        view=view,
        now=site.clock(),
        window=view.window(site.clock()),
        page=path,
        losses=site.losses(),
        ahead=None,
        text=error.text,
        pieces=_pieces(error.text, faults),
        places=[_place(error.text, fault, link) for fault in faults],
        more=len(error.faults) - len(faults),
        mended=None if error.mended is None else link(error.mended),
        without=view.link(path),
    )
    return make_page(html, status=400)


def _place(text: str, fault: Fault, link: Callable[[str], str]) -> Place:
    mended = None if fault.remedy is None else text[: fault.start] + fault.remedy + text[fault.end :]
    return Place(
        fault.start + 1,
        text[fault.start : fault.end],
        fault.reason,
        fault.remedy,
        None if mended is None else link(mended),
    )


def _pieces(text: str, faults: Sequence[Fault]) -> list[Piece]:
    pieces: list[Piece] = []
    at = 0
    for fault in sorted(faults, key=lambda one: one.start):
        if fault.start < at:
            continue
        pieces.append(Piece(text[at : fault.start], is_fault=False))
        pieces.append(Piece(text[fault.start : fault.end] or " ", is_fault=True))
        at = fault.end
    return [piece for piece in (*pieces, Piece(text[at:], is_fault=False)) if piece.text]
