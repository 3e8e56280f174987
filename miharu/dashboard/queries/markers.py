"""The markers of a time, and the one that an address means."""

from collections.abc import Sequence
from dataclasses import replace

from miharu.batch import Marker, MarkerKind
from miharu.dashboard.address.ranges import LAST
from miharu.dashboard.address.view import View
from miharu.dashboard.http.page import Site
from miharu.stores.base import MOST_MARKERS

__all__ = ("MOMENTS", "listed", "markers_in", "with_marker")

MOMENTS: tuple[MarkerKind, ...] = ("mark", "release")
"""What figures are compared around; alerts are told of elsewhere."""
LISTED = 20


async def markers_in(view: View, site: Site) -> Sequence[Marker]:
    """Those of the page's window, the newest first."""
    window = view.window(site.clock())
    found = await site.store.markers(window.start, window.end, kinds=MOMENTS, limit=MOST_MARKERS)
    return [marker for marker in found if _concerns(marker, view)]


async def listed(view: View, site: Site) -> Sequence[Marker]:
    """The newest ones there are, to choose from."""
    found = await site.store.markers(0, LAST, kinds=MOMENTS, limit=LISTED * 5)
    return [marker for marker in found if _concerns(marker, view)][:LISTED]


async def with_marker(view: View, site: Site) -> View:
    """The same view, with the marker that its address names: by its id, or the newest of that name."""
    if view.mark is None or view.marked is not None:
        return view
    found = await site.store.markers(0, LAST, kinds=MOMENTS, id=view.mark, limit=1)
    found = found or await site.store.markers(0, LAST, kinds=MOMENTS, name=view.mark, limit=1)
    return replace(view, marked=found[0]) if found else view


def _concerns(marker: Marker, view: View) -> bool:
    return view.service is None or marker.service in {None, view.service}
