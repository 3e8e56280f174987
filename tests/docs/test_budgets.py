import json
from typing import Any

import httpx2
import pytest

import miharu
from miharu.testing._server import ServerThread
from tests.calls import ask
from tests.docs.blocks import BLOCKS, Block, of

PAGE = "docs/budgets.md"


class Hooks:
    """What receives a webhook, as an ASGI app."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.got.append(json.loads(body))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


def spend(usd: float, **whose: Any) -> None:
    """A call that costs about so much: 10 dollars for a million tokens that gpt-4o writes."""
    usage = {"prompt_tokens": 0, "completion_tokens": round(usd * 100_000)}
    answer: dict[str, Any] = {"id": "c", "object": "chat.completion", "model": "gpt-4o", "usage": usage}
    answer["choices"] = [{"index": 0, "message": {"content": "x"}, "finish_reason": "stop"}]
    with miharu.context(**whose):
        ask(answer=answer)
    assert miharu.flush()


@pytest.fixture
def hooks() -> Any:
    hooks = Hooks()
    server = ServerThread(hooks)
    server.start()
    hooks.address = f"http://127.0.0.1:{server.port}/hooks/llm"  # type: ignore[attr-defined]
    yield hooks
    server.stop()


def posted() -> Block:
    [block] = [block for block in BLOCKS if block.page == PAGE and block.language == "json"]
    return block


def made(example: Block, hooks: Any) -> list[miharu.BudgetState]:
    told: list[miharu.BudgetState] = []
    example.run(
        {"https://example.com/hooks/llm": hooks.address, "print(state)": "told.append(state)"}, told=told
    )
    return told


@of(PAGE, "page_somebody")
def test_each_budget_does_what_it_says(example: Block, hooks: Any) -> None:
    told = made(example, hooks)
    assert miharu.flush()
    spend(0.6, route="POST /chat/{thread_id}", user="bob")
    spend(2.5, user="ann")
    with miharu.context(user="ann"), pytest.raises(miharu.BudgetExceeded, match="each user"):
        ask()
    spend(21, tags={"team": "search"})
    assert told == []
    spend(40)
    assert miharu.shutdown()  # until then the webhook may be on its way
    assert [state.name for state in told] == ["all of it"]
    comment = example.text.partition("print(state)  # ")[2].partition("\n")[0]
    assert str(told[0]).split(":")[0] == comment.split(":")[0]
    assert [one["budget"] for one in hooks.got] == ["all of it"]
    states = {state.name: state for state in told}
    assert states["all of it"].exceeded


@of(PAGE, '"spent_usd"')
def test_the_webhook_posts_what_is_shown(example: Block, hooks: Any) -> None:
    shown = json.loads(example.text)
    budget = miharu.Budget(shown["limit_usd"], each="user", refuse=True, webhook=hooks.address)
    miharu.init(budgets=[budget])
    assert miharu.flush()
    spend(shown["spent_usd"], user=shown["key"])
    assert miharu.shutdown()
    [got] = hooks.got
    moving = {"text", "starts", "ends"}
    assert {name: got[name] for name in got if name not in moving} == {
        name: shown[name] for name in shown if name not in moving
    }
    assert moving < {*got}
    words = shown["text"].partition(" since ")[0]
    assert got["text"].startswith(words)


@of(PAGE, "def budget_exceeded")
def test_the_refusal_is_found_behind_an_sdks_error(example: Block) -> None:
    miharu.init(budgets=[miharu.Budget(1, refuse=True)])
    assert miharu.flush()
    spend(2)
    found = example.run().budget_exceeded
    try:
        try:
            ask()
        except miharu.BudgetExceeded as refusal:
            raise httpx2.ConnectError("Connection error.") from refusal
    except httpx2.ConnectError as error:
        behind = found(error)
        assert isinstance(behind, miharu.BudgetExceeded)
        assert behind.state.spent_usd == 2.0
    assert found(ValueError("another")) is None


@of(PAGE, "check_budget(user=user)")
def test_asking_before_the_work_begins(example: Block) -> None:
    miharu.init(budgets=[miharu.Budget(1, each="user", refuse=True)])
    assert miharu.flush()
    answer = example.run().answer
    assert answer("why?", "ann") == "…"
    spend(2, user="ann")
    assert answer("why?", "ann").startswith("Nothing more today. Come back at 20")
    assert answer("why?", "bob") == "…"
