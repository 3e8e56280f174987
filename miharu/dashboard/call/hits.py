"""The calls in which some words were said, with the passages."""

from collections.abc import Mapping, Sequence
from typing import Any

from miharu.call import Call
from miharu.dashboard.address.view import View
from miharu.dashboard.call.passages import Passages, passages
from miharu.dashboard.http.page import Site
from miharu.dashboard.queries.together import together
from miharu.stores.words import FOUND, phrases

__all__ = ("HITS", "hits")

HITS = 20
"""Calls on a page: each is read again for its passages."""


async def hits(calls: Sequence[Call], view: View, site: Site, whole: int) -> Mapping[str, Any]:
    """What a page shows of them.

    Args:
        calls: Those on the page.
        view: With words.
        site: Whose calls.
        whole: How many calls there are in the range.
    """
    async with together() as ask:
        searched = ask(site.store.searched, view.query(site.clock()))
        bodies = [ask(site.store.call, call.id) for call in calls]
    sought = phrases(view.words)
    found: dict[str, Passages] = {}
    for body in bodies:
        if sought and body.value is not None:
            found[body.value.id] = passages(body.value, sought, view.said, site.formats)
    return {
        "passages": found,
        "cannot_match": sought is None,
        "whole": whole,
        "searched": searched.value,
        "most_found": FOUND,
    }
