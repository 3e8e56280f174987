"""What the program itself states about its calls, with ``miharu.context``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ("NOTHING", "Stated")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """User, session, route, prompt and tags. All become text in the recorder."""

    user: object = None
    session: object = None
    route: object = None
    prompt: object = None
    tags: Mapping[Any, Any] = field(default_factory=dict)

    def merged_with(self, more: "Stated") -> "Stated":
        """Both; what is stated later, or closer to the call, takes precedence."""
        if more is NOTHING or self is NOTHING:
            return self if more is NOTHING else more
        return Stated(
            user=self.user if more.user is None else more.user,
            session=self.session if more.session is None else more.session,
            route=self.route if more.route is None else more.route,
            prompt=self.prompt if more.prompt is None else more.prompt,
            tags={**self.tags, **more.tags} if self.tags and more.tags else more.tags or self.tags,
        )


NOTHING = Stated()
