"""The caller: to whom a call is charged, by the columns that budgets use."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from miharu.attribution import context
from miharu.attribution.resolve import attribution_of
from miharu.call import Call

__all__ = ("Caller", "caller_of", "caller_with", "current_caller")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The names are those of the columns."""

    user_id: str | None = None
    route: str | None = None
    service: str | None = None
    tags: Mapping[str, str] | None = None


def caller_of(call: Call) -> Caller:
    """The caller of a call that was made."""
    return Caller(user_id=call.user_id, route=call.route, service=call.service, tags=call.tags)


def current_caller(service: str | None = None) -> Caller:
    """The caller of a call that would be made here and now."""
    known = attribution_of(*context.now())
    return Caller(user_id=known.user_id, route=known.route, service=service, tags=known.tags)


def caller_with(
    service: str | None, user: str | None, route: str | None, tags: Mapping[str, str] | None
) -> Caller:
    """The current caller with another user, route or tags, where they are given."""
    found = current_caller(service)
    return replace(
        found,
        user_id=user or found.user_id,
        route=route or found.route,
        tags={**(found.tags or {}), **(tags or {})},
    )
