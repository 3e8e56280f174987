"""The tags: the values of one of them, or one value beside all calls."""

from collections.abc import Mapping, Sequence
from typing import Any

from miharu.dashboard.address.view import View
from miharu.dashboard.http.page import Site
from miharu.dashboard.pages.one import one_of
from miharu.dashboard.pages.users import page_of, sheet_of
from miharu.dashboard.panels.screens import Panel, Screen
from miharu.dashboard.panels.tables import Sheet
from miharu.dashboard.panels.who import Kind
from miharu.dashboard.queries.tag_names import tag_names

__all__ = ("SCREEN", "file")


def _name(view: View, names: Sequence[str]) -> str | None:
    """The tag that is meant: the one that is named, of the value that is chosen, or the first there is."""
    if view.name is not None:
        return view.name
    if view.tag is not None:
        return view.tag.partition("=")[0]
    return names[0] if names else None


async def _facts(view: View, site: Site) -> Mapping[str, Any]:
    names = await tag_names(site)
    name = _name(view, names)
    if name is None:
        return {"kind": None, "names": (), "one": None, "months": None}
    kind = Kind.of_tag(name)
    known = {"names": names if name in names else (*names, name)}
    tagged, _, value = (view.tag or "").partition("=")
    if tagged == name:
        return {**await one_of(view, site, kind, value), **known}
    return {**await page_of(view, site, kind), **known}


SCREEN = Screen(
    path="tags",
    template="pages/tags.html",
    panels=(Panel(path="tags-table", template="panels/tags.html", facts=_facts),),
)


async def file(view: View, site: Site) -> Sheet:
    name = _name(view, await tag_names(site))
    return Sheet("tags", (), ()) if name is None else await sheet_of(view, site, Kind.of_tag(name))
