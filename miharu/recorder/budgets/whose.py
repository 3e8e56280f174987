"""The owner of a call, by the columns that budgets use."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from miharu.attribution import context
from miharu.attribution.belonging import belonging
from miharu.call import Call

__all__ = ("Whose", "here", "of_call", "of_those")


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """The names are those of the columns."""

    user_id: str | None = None
    route: str | None = None
    service: str | None = None
    tags: Mapping[str, str] | None = None


def of_call(call: Call) -> Whose:
    """Whose a call was."""
    return Whose(user_id=call.user_id, route=call.route, service=call.service, tags=call.tags)


def here(service: str | None = None) -> Whose:
    """Whose a call would be that is made here and now."""
    known = belonging(*context.now())
    return Whose(user_id=known.user_id, route=known.route, service=service, tags=known.tags)


def of_those(
    service: str | None, user: str | None, route: str | None, tags: Mapping[str, str] | None
) -> Whose:
    """The same, of another user, route or tags where they are given."""
    found = here(service)
    return replace(
        found,
        user_id=user or found.user_id,
        route=route or found.route,
        tags={**(found.tags or {}), **(tags or {})},
    )
