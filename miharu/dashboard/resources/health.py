"""Whether the calls can be read, for a monitoring system; it tells nothing else."""

import json

from miharu.dashboard.http.headers import make_page
from miharu.dashboard.http.page import Page, PageRequest, Site
from miharu.errors import StoreError

__all__ = ("healthy", "page", "unwell")


async def page(_request: PageRequest, site: Site) -> Page:
    try:
        await site.store.revision()
    except StoreError:
        return unwell()
    return healthy()


def healthy() -> Page:
    return _said(200, "ok")


def unwell() -> Page:
    return _said(503, "the database cannot be read")


def _said(status: int, text: str) -> Page:
    return make_page(json.dumps({"status": text}), status=status, content_type="application/json")
