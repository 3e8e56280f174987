import json
from pathlib import Path

import pytest

import miharu
from tests.calls import ask, rows
from tests.docs.blocks import Block, of
from tests.docs.world import outcome_of_pytest, visiting

pytest_plugins = ["pytester"]
PAGE = "docs/attribution.md"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@of(PAGE, "MiharuMiddleware")
def test_calls_of_a_request_share_its_route_id_and_trace(
    example: Block, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIHARU_DATABASE_URL", str(database))
    app = example.run().app

    def chat(thread_id: int) -> int:
        ask()
        ask("once more")
        return thread_id

    app.post("/chat/{thread_id}")(chat)
    with visiting(app) as client:
        assert client.post("/chat/7", headers={"x-request-id": "r-1"}).json() == 7
        assert client.get("/miharu/").status_code == 200
    assert miharu.flush()
    first, second = rows(database)
    assert first["route"] == second["route"] == "POST /chat/{thread_id}"
    assert first["host_request_id"] == second["host_request_id"] == "r-1"
    assert first["trace_id"] == second["trace_id"]


@of(PAGE, "copy_context")
def test_a_context_is_carried_into_a_thread(example: Block, database: Path) -> None:
    miharu.init(database)
    asking = {"return question.upper()": "return answered(question) and question.upper()"}
    with miharu.context(user="ann"):
        assert example.run(asking, answered=ask).answer == "HELLO"
    assert miharu.flush()
    assert [row["user_id"] for row in rows(database)] == ["ann"]


@of(PAGE, 'tags={"team": "search"}')
def test_a_call_belongs_to_whom_the_context_names(example: Block, database: Path) -> None:
    miharu.init(database)
    example.run({"...  # calls in here belong to ann": "ask()"}, ask=ask)
    ask("plainly, from here on")
    assert miharu.flush()
    after, inside = sorted(rows(database), key=lambda row: row["session_id"] or "")
    assert (inside["user_id"], inside["session_id"], json.loads(inside["tags"])) == (
        "ann",
        "s-17",
        {"team": "search"},
    )
    assert (after["user_id"], after["session_id"], after["tags"]) == ("ann", None, None)


@of(PAGE, 'prompt="support.answer"')
def test_a_prompt_has_the_name_that_the_context_gives(example: Block, database: Path) -> None:
    miharu.init(database)
    example.run({"...  # calls in here are of that prompt, whatever it says by now": "ask()"}, ask=ask)
    ask("of no prompt")
    assert miharu.flush()
    assert {row["prompt_name"] for row in rows(database)} == {"support.answer", None}


@of(PAGE, "def retrieve")
async def test_spans_are_one_tree(example: Block, database: Path) -> None:
    miharu.init(database)
    made = example.run({'        return f"': '        ask()\n        return f"'}, ask=ask)
    assert await made.answer("why?") == "why? ['a document']"
    assert miharu.flush()
    spans = {span["name"]: span for span in rows(database, "llm_spans")}
    assert {*spans} == {"answer", "retrieve", "write"}
    assert spans["retrieve"]["parent_id"] == spans["write"]["parent_id"] == spans["answer"]["id"]
    assert [call["parent_id"] for call in rows(database)] == [spans["write"]["id"]]


@of(PAGE, "miharu.score")
def test_a_score_finds_the_trace_of_the_answer(example: Block, database: Path) -> None:
    miharu.init(database)
    made = example.run()
    with miharu.span("request"):
        ask()
        trace = made.answer()["trace"]
    made.feedback(trace, helpful=True)
    assert miharu.flush()
    [score] = rows(database, "llm_scores")
    assert (score["trace_id"], score["name"], score["value"]) == (trace, "helpful", 1.0)
    assert [call["trace_id"] for call in rows(database)] == [trace]


@of(PAGE, "miharu_calls")
def test_the_fixture_counts_what_a_test_calls(
    example: Block, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    calling = "def test_one_call_is_enough(miharu_calls):\n"
    program = "from tests.calls import ask\n\n\n" + example.text.replace(calling, f"{calling}    ask()\n")
    said = outcome_of_pytest(pytester, monkeypatch, program, "--miharu-budget=0.50", calls=1)
    assert "miharu: 1 call, 15 tokens" in said


@of(PAGE, "miharu.capture()")
def test_a_capture_has_the_calls_of_its_block(example: Block, capsys: pytest.CaptureFixture[str]) -> None:
    made = example.run({"...  # whatever calls a model": "ask()"}, ask=ask)
    assert isinstance(made.calls, miharu.Calls)
    assert capsys.readouterr().out == "1 15 75000\n"
