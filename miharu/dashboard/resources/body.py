"""What was sent or received in one call, whole, as a file."""

from miharu.dashboard.address.view import is_storable
from miharu.dashboard.call.bodies import file_name
from miharu.dashboard.http.headers import make_page
from miharu.dashboard.http.page import Page, PageRequest, Site

__all__ = ("page",)

_PARTS = ("request", "response")


async def page(request: PageRequest, site: Site) -> Page:
    """The bytes as a download, never shown by the browser, because they are not trusted."""
    of, id_ = request.params.get("of", ""), request.params.get("id", "")
    call = await site.store.call(id_) if of in _PARTS and is_storable(id_) else None
    content = getattr(call.body, of) if call is not None and call.body is not None else None
    if content is None:
        text = "This body was not kept, or is no longer there."
        return make_page(text, status=404, content_type="text/plain; charset=utf-8")
    disposition = f'attachment; filename="{file_name(id_, of)}"'
    kind = "application/octet-stream"
    return make_page(content, content_type=kind, extra=(("Content-Disposition", disposition),))
