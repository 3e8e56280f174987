"""What the filter form offers; a page asks for it when the form is opened."""

from miharu.dashboard.http.headers import make_page
from miharu.dashboard.http.page import Page, PageRequest, Site
from miharu.dashboard.http.templates import render
from miharu.dashboard.queries.filters import choices

__all__ = ("page",)


async def page(request: PageRequest, site: Site) -> Page:
    view = request.view
    return make_page(render("choices.html", view=view, choices=await choices(view, site)))
