from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount

import miharu
from tests.docs.blocks import Block, of
from tests.docs.world import asked_for, visiting


class Sessions:
    """Fills the scope as a middleware for sessions does."""

    user: str | None = None

    def __init__(self, app: object) -> None:
        self.app = app

    async def __call__(self, scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        await self.app({**scope, "session": {"user": Sessions.user}}, receive, send)  # type: ignore[operator]


@of("docs/configuration.md", "signed_in")
def test_the_function_lets_its_own_users_in(
    example: Block, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = Starlette(routes=[Mount("/miharu", example.run().dashboard)], middleware=[Middleware(Sessions)])
    monkeypatch.setattr(Sessions, "user", "ann")
    assert "gpt-4o" in asked_for(app, database)
    monkeypatch.setattr(Sessions, "user", None)
    with visiting(app) as client:
        assert client.get("/miharu/").status_code == 403
    assert miharu.stats()["written"] == 1
