"""ETags: a part of a page that has not changed is not made again.

A page asks every second. Its tag says what it has; while that is what it would get, the answer is 304.
"""

import hashlib

from miharu._version import __version__
from miharu.dashboard.http.headers import make_page
from miharu.dashboard.http.page import Page, PageRequest, Site

__all__ = ("tag", "tagged", "unchanged")


async def tag(site: Site, question: str, bucket_ms: int | None) -> str:
    """What a part depends on: the store, the question (a canonical link), the losses, and the time.

    A window slides without data, so the tag changes every ``bucket_ms`` in any case; with ``None`` it does
    not slide.
    """
    facts = (
        await site.store.revision(),
        question,
        site.losses(),
        bucket_ms and site.clock() // bucket_ms,
        __version__,
    )
    return hashlib.sha256(repr(facts).encode(errors="replace")).hexdigest()[:16]


def unchanged(request: PageRequest, tag: str) -> Page | None:
    """A 304 where the browser has this version already, else ``None``."""
    return (
        make_page(b"", status=304, extra=(("HX-PTag", tag),))
        if request.headers.get("hx-ptag") == tag
        else None
    )


def tagged(html: str, tag: str) -> Page:
    return make_page(html, extra=(("HX-PTag", tag),))
