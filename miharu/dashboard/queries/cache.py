"""Answers that may be a minute old, so that a visitor who turns pages need not wait for each again."""

from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

from miharu.dashboard.http.page import Site
from miharu.dashboard.queries.together import Once
from miharu.stores.base import Questions

__all__ = ("kept",)

T = TypeVar("T")

_FRESH = 60_000
_MOST = 16
_made: WeakKeyDictionary[Questions, dict[Hashable, tuple[int, Any]]] = WeakKeyDictionary()


async def kept(site: Site, name: Hashable, make: Callable[[], Awaitable[T]]) -> T:
    """What ``make`` found for that name within the last minute, or finds now.

    Only the newest few are kept, for as long as there is the store; an empty one is not, because what comes
    first is waited for.
    """
    known = _made.setdefault(site.store.store if isinstance(site.store, Once) else site.store, {})
    now = site.clock()
    made, value = known.get(name, (None, None))
    if made is None or not 0 <= now - made < _FRESH:
        value = await make()
        known.pop(name, None)
        if value:
            known[name] = (now, value)
        while len(known) > _MOST:
            del known[next(iter(known))]
    return cast("T", value)
