"""What the filter form offers; a page asks for it when the form is opened."""

from miharu.dashboard.http.headers import make_page
from miharu.dashboard.http.page import Page, PageRequest, Site
from miharu.dashboard.http.templates import render
from miharu.dashboard.queries.filters import choices
from miharu.dashboard.queries.markers import with_marker

__all__ = ("page",)


async def page(request: PageRequest, site: Site) -> Page:
    view = await with_marker(request.view, site)
    return make_page(render("choices.html", view=view, choices=await choices(view, site)))
