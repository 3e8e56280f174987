"""Which calls are likely to be laid beside one: its attempts, the one that it repeats, others like it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from miharu.call import Call
from miharu.dashboard.address.ranges import DAY
from miharu.dashboard.address.view import View
from miharu.dashboard.call.rows import CallRow, rows
from miharu.dashboard.call.timeline import attempts
from miharu.dashboard.charts.colors import Palette
from miharu.dashboard.http.page import Site
from miharu.dashboard.queries.together import together
from miharu.stores.base import Query

__all__ = ("Near", "near")

_LISTED = 20
_WITHIN = DAY
"""Before and after the call: further away, a filter that lets little through would have all calls read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """Calls of one kind, each leading to the pair."""

    name: str
    rows: Sequence[CallRow]


async def near(call: Call, view: View, site: Site, colors: Palette, *, is_first: bool) -> list[Near]:
    """What to choose from; nothing twice."""
    window = Query(start=call.timestamp - _WITHIN, end=call.timestamp + _WITHIN)
    async with together() as ask:
        tries = ask(attempts, call, site)
        original = ask(site.store.call, call.duplicate_of) if call.duplicate_of else None
        session = (
            ask(site.store.calls, replace(window, session_id=call.session_id), _LISTED)
            if call.session_id
            else None
        )
        alike = ask(site.store.calls, replace(window, route=call.route, model=call.model), _LISTED)
    found = (
        ("Other attempts of it", tries.value),
        ("The call that it repeats", [original.value] if original and original.value else []),
        ("Of the same session", session.value if session else []),
        ("Others like it, within a day", alike.value),
    )
    seen = {call.id}

    def lists() -> Iterator[Near]:
        for name, calls in found:
            fresh = [one for one in calls if one.id not in seen]
            seen.update(one.id for one in fresh)
            if fresh:
                lines = rows(fresh, view, colors)
                yield Near(
                    name=name, rows=[_to_pair(line, call.id, view, is_first=is_first) for line in lines]
                )

    return list(lists())


def _to_pair(line: CallRow, id: str, view: View, *, is_first: bool) -> CallRow:  # noqa: A002 - the column's name
    a, b = (id, line.id) if is_first else (line.id, id)
    return replace(line, link=view.link("pair", a=a, b=b))
