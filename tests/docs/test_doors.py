from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from tests.docs.blocks import Block, of
from tests.docs.world import asked_for

PAGE = "docs/doors.md"


@of(PAGE, 'app.mount("/miharu", miharu.asgi())')
def test_a_mount_in_fastapi(example: Block, database: Path) -> None:
    assert "gpt-4o" in asked_for(example.run().app, database)


@of(PAGE, "app.add_middleware(")
def test_the_middleware_in_fastapi(example: Block, database: Path) -> None:
    assert "gpt-4o" in asked_for(example.run().app, database)


@of(PAGE, "from litestar")
def test_a_mount_in_litestar(example: Block, database: Path) -> None:
    assert "gpt-4o" in asked_for(example.run().app, database)


@of(PAGE, "...  # yours")
def test_a_dispatcher_of_ones_own(example: Block, database: Path) -> None:
    mine = "await mine(scope, receive, send)"
    app = example.run({"...  # yours": mine}, mine=_mine).app
    assert "gpt-4o" in asked_for(app, database)
    assert TestClient(app).get("/elsewhere").text == "mine"


async def _mine(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        for what in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{what}.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"mine"})


def test_one_line_around_any_app(database: Path) -> None:
    names: dict[str, Any] = {"app": _mine}
    exec("import miharu\napp = miharu.MiharuMiddleware(app)", names)
    assert "gpt-4o" in asked_for(names["app"], database)
    assert TestClient(names["app"]).get("/elsewhere").text == "mine"
