"""What one snapshot says of the sums: asked once, however many parts of a question need it."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, text

__all__ = ("frequent_among", "frequent_since", "is_frequent", "once")

T = TypeVar("T")
_SAID: WeakKeyDictionary[Connection, dict[Hashable, Any]] = WeakKeyDictionary()
"""By connection: a question has one of its own, and with it one snapshot."""


def once(connection: Connection, name: Hashable, ask: Callable[[], T]) -> T:
    """The answer, which is the same as long as the connection is."""
    said = _SAID.setdefault(connection, {})
    if name not in said:
        said[name] = ask()
    answer: T = said[name]
    return answer


def is_frequent(connection: Connection, user: str) -> bool:
    """Whether sums are kept of that user's own."""
    return frequent_since(connection, user) is not None


def frequent_since(connection: Connection, user: str) -> int | None:
    """Since when sums are kept of that user's own; ``None`` where they are not."""
    return once(connection, ("frequent", user), lambda: frequent_among(connection, (user,)).get(user))


def frequent_among(connection: Connection, users: Iterable[str]) -> Mapping[str, int]:
    """Since when sums are kept of their own, of those of these users that have such."""
    names = {f"user{number}": user for number, user in enumerate(users)}
    if not names:
        return {}
    chosen = ", ".join(f":{name}" for name in names)
    found = text(f"SELECT user_id, since FROM miharu_frequent WHERE user_id IN ({chosen})")
    return {row.user_id: row.since for row in connection.execute(found, names)}
