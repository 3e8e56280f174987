"""A picture or a sound of one call, for the page that shows it."""

from miharu.dashboard.address.view import is_storable
from miharu.dashboard.call.media import kept_at
from miharu.dashboard.http.headers import alone, make_page
from miharu.dashboard.http.page import Page, PageRequest, Site

__all__ = ("page",)

_PARTS = ("request", "response")


async def page(request: PageRequest, site: Site) -> Page:
    """Its bytes, under the type that they have: a picture or a sound, never what a browser could run."""
    of, id_, at = (request.params.get(name, "") for name in ("of", "id", "at"))
    sound = of in _PARTS and is_storable(id_) and at.isascii() and at.isdecimal() and len(at) < 12
    call = await site.store.call(id_) if sound else None
    body = getattr(call.body, of) if call is not None and call.body is not None else None
    kept = kept_at(body, int(at)) if body else None
    if kept is None:
        text = "There is no picture and no sound here that was kept."
        return make_page(text, status=404, content_type="text/plain; charset=utf-8")
    return alone(make_page(kept.content, content_type=kept.type))
