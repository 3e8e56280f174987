"""Which tags there are: those that sums are kept by, and those of the newest calls."""

from collections.abc import Sequence

from miharu.dashboard.address.ranges import LAST
from miharu.dashboard.http.page import Site
from miharu.dashboard.queries.cache import kept
from miharu.stores.base import Query

__all__ = ("tag_names",)

_LOOKED_AT, _MOST = 200, 12


async def tag_names(site: Site) -> Sequence[str]:
    """Names of tags, those with sums first."""
    return await kept(site, "tag names", lambda: _found(site))


async def _found(site: Site) -> Sequence[str]:
    known = list(await site.store.tag_names())
    newest = await site.store.calls(Query(start=0, end=LAST), limit=_LOOKED_AT)
    others = sorted({name for call in newest for name in call.tags or ()})
    return tuple(dict.fromkeys([*known, *others]))[:_MOST]
