import json
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount

import miharu
from miharu.cli import main
from tests.calls import ANSWER, ask, rows
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


@of("docs/configuration.md", "def redact")
def test_what_is_private_is_not_in_what_is_stored(
    example: Block, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIHARU_DATABASE_URL", str(database))
    example.run()
    answer = json.loads(json.dumps(ANSWER).replace('"hi"', '"Write to bob@b.example now"'))
    ask("I am ann@a.example, you know", answer=answer)
    assert miharu.flush()
    [row] = rows(database)
    request, response = _content(database)
    assert "I am [address], you know" in request
    assert "Write to [address] now" in response
    assert row["status"] == "success"


def _content(database: Path) -> tuple[str, str]:
    """What was asked and answered, as `export` gives it."""
    out = database.with_name("out.jsonl")
    options = ["--format", "jsonl", "--with-content", "--out", str(out)]
    assert main(["export", "--database", str(database), *options]) == 0
    call = json.loads(out.read_text())
    return str(call["request"]), str(call["response"])


@of("docs/configuration.md", "ignore=[")
def test_what_is_left_out_counts_nowhere(
    example: Block, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIHARU_DATABASE_URL", str(database))
    example.run()
    ask(url="http://localhost:8000/v1/chat/completions")
    answers = httpx2.MockTransport(lambda _: httpx2.Response(200, json={"id": "m", "results": []}))
    with httpx2.Client(transport=answers) as client:
        client.post("https://api.openai.com/v1/moderations", json={"input": "x"})
    with miharu.context(route="/health/deep"):
        ask()
    ask(answer=ANSWER | {"service_tier": "flex"})
    ask("what is kept")
    assert miharu.flush()
    assert [row["host"] for row in rows(database)] == ["api.openai.com"]
    assert miharu.stats()["captured"] == 1
