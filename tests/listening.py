"""An app's scope, as the middleware sees it."""

from typing import Any

from starlette.testclient import TestClient

from miharu.attribution.routes.templates import route_template

__all__ = ("Listening",)


class Listening:
    """Keeps the scope of the last request, as the middleware does."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.scope: dict[str, Any] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            self.scope = scope
        await self.app(scope, receive, send)

    def template(self, path: str, root_path: str = "") -> str | None:
        """Of the route that answers the path."""
        TestClient(self, root_path=root_path).get(root_path + path, follow_redirects=False)
        return route_template(self.scope, self.app)
