"""What a visitor of the demo asks its app for."""

from dataclasses import dataclass
from typing import Any

__all__ = ("DemoVisit",)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoVisit:
    """One request to the app."""

    route: str
    model: str
    question: str
    user: str | None = None
    session: str | None = None
    release: str = "1.3"
    """Of the app that the visitor meets."""
    fault: str | None = None
    """How the provider should fail, for this visit."""
    outages: int = 0
    """How often the carrier, which a tool asks, does not answer."""
    patience: int | None = None
    """After how many chunks the visitor leaves; ``None`` stays to the end."""
    thumb: bool | None = None
    """Up or down, below the answer."""

    @property
    def options(self) -> dict[str, Any]:
        """The options that all calls of a visit share."""
        return {"model": self.model, "extra_headers": {"x-fake-fault": self.fault} if self.fault else {}}
