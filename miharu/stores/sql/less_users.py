"""All, less some users: there are sums of all by model and route, and of those users, not of the others."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from miharu.stores.base import By, Query
from miharu.stores.sql.source import Engine, is_kept

__all__ = ("less_users",)

_MOST = 5
"""Users that are taken off; each is asked for."""


def less_users(
    connection: Connection, engine: Engine, query: Query, by: By | None
) -> tuple[Query, Sequence[Query]]:
    """What is added up, and what is taken off: nothing, where the others' calls can be read as directly."""
    of_users = [one for one in query.conditions if one.field == "user_id"]
    if by == "user_id" or query.user_id is not None or query.words or len(of_users) != 1:
        return query, ()
    users = dict.fromkeys(of_users[0].values)
    if of_users[0].operator != "not in" or of_users[0].patterns or not all(users) or len(users) > _MOST:
        return query, ()
    every = replace(query, conditions=tuple(one for one in query.conditions if one.field != "user_id"))
    if not is_kept(connection, engine, every, by):
        return query, ()
    return every, [replace(every, user_id=str(user)) for user in users]
