"""What the program itself says of its calls, with ``miharu.context``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ("NOTHING", "Said")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """To whom they belong. Objects of the program's own: they are made text in the worker."""

    user: object = None
    session: object = None
    route: object = None
    tags: Mapping[Any, Any] = field(default_factory=dict)

    def and_then(self, more: "Said") -> "Said":
        """Both; what is said later, or closer to the call, holds."""
        if more is NOTHING or self is NOTHING:
            return self if more is NOTHING else more
        return Said(
            user=self.user if more.user is None else more.user,
            session=self.session if more.session is None else more.session,
            route=self.route if more.route is None else more.route,
            tags={**self.tags, **more.tags} if self.tags and more.tags else more.tags or self.tags,
        )


NOTHING = Said()
