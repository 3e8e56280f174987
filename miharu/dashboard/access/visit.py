"""A visitor as the door sees them, and its decision."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from miharu.dashboard.http.page import Page

__all__ = ("Decision", "Visit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What a request shows of its visitor."""

    scope: Mapping[str, Any]
    """The host's own, for the host's own function."""
    headers: Mapping[str, str]
    """Names in lower case."""
    params: Mapping[str, str]
    base: str
    """The path of the dashboard as the visitor sees it, with a slash at the end."""
    path: str = "/"
    """The part below the dashboard, from its slash on."""

    @property
    def host(self) -> str:
        """The name by which it was asked for, with its port."""
        return self.headers.get("host", "")

    @property
    def bearer(self) -> str | None:
        """The token in the header; ``None`` where there is none."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else None

    @property
    def client(self) -> str | None:
        """The address; ``None`` over a Unix socket, behind which stands a proxy."""
        client = self.scope.get("client")
        return str(client[0]) if client else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Welcome, or a page to send in place of the one that was asked for."""

    access: str = ""
    """Who may see the dashboard, in a few words."""
    page: Page | None = None
