"""Two calls side by side, or what can be laid beside the one that is chosen."""

from collections.abc import Mapping, Sequence
from typing import Any

from miharu.dashboard.address.view import View, is_storable
from miharu.dashboard.charts.colors import palette
from miharu.dashboard.http.headers import make_page
from miharu.dashboard.http.page import Page, PageRequest, Site
from miharu.dashboard.pair import laid, near
from miharu.dashboard.panels.screens import Screen, show
from miharu.dashboard.queries.together import together

__all__ = ("page",)

_TICKED = "c."
"""What the names of a list's boxes begin with; the id of the call follows."""
_BOTH = 2


async def _facts(view: View, site: Site) -> Mapping[str, Any]:
    async with together() as ask:
        colors = ask(palette, site)
        asked = [ask(site.store.call, id_) if id_ else None for id_ in (view.a, view.b)]
    found = [one.value if one else None for one in asked]
    first, second = found
    missing = [id_ for id_, call in zip((view.a, view.b), found, strict=True) if id_ and call is None]
    facts: dict[str, Any] = {"missing": missing, "sides": [], "near": [], "chosen": None}
    if first is not None and second is not None:
        return facts | dict(await laid(first, second, view, site, colors.value))
    chosen = first or second
    if chosen is not None:
        facts["chosen"], facts["letter"] = chosen, "A" if first else "B"
        facts["css"] = colors.value.model(chosen.model, chosen.provider)
        facts["near"] = await near(chosen, view, site, colors.value, is_first=first is not None)
    return facts


async def page(request: PageRequest, site: Site) -> Page:
    ticked = _ticked(request.params)
    if len(ticked) == _BOTH and not request.view.a:
        first, second = ticked
        address = request.view.link("pair", a=first, b=second)
        return make_page("", status=303, extra=(("Location", address),))

    async def facts(view: View, site: Site) -> Mapping[str, Any]:
        return {**await _facts(view, site), "ticked": len(ticked)}

    return await show(Screen(path="pair", template="pages/pair.html", facts=facts), request, site)


def _ticked(params: Mapping[str, str]) -> Sequence[str]:
    """The boxes that were ticked, the older call first: ids begin with the time."""
    ids = {name.removeprefix(_TICKED) for name in params if name.startswith(_TICKED) and is_storable(name)}
    return sorted(ids - {""})
