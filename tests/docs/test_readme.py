import json
from pathlib import Path

import pytest

import miharu
from miharu.cli import main
from miharu.config import Config, database_file
from tests.calls import ask, rows
from tests.cli.conftest import serving
from tests.cli.test_tail import ended, tailing
from tests.docs.blocks import ROOT, Block, of
from tests.docs.world import asked_for, visiting


@of("README.md", "scripts/demo")
def test_the_demo_is_a_command_of_the_checkout(example: Block) -> None:
    """The demo itself is tried in tests/cli, and its script in tests/test_scripts.py."""
    [command] = example.commands
    assert (ROOT / command).stat().st_mode & 0o111


@of("README.md", "pip install /path/to/miharu")
def test_the_checkout_can_be_installed(example: Block) -> None:
    assert example.commands == ["python3 -m venv .venv", ".venv/bin/pip install /path/to/miharu"]
    assert (ROOT / "pyproject.toml").exists()


@of("README.md", "miharu.init()  #")
def test_the_mounted_dashboard_shows_a_call(
    example: Block, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIHARU_DATABASE_URL", str(database))
    assert "gpt-4o" in asked_for(example.run().app, database)


@of("README.md", "app.add_middleware(miharu.MiharuMiddleware)")
def test_the_middleware_says_which_route_made_a_call(
    example: Block, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIHARU_DATABASE_URL", str(database))
    app = example.run().app
    app.get("/ask/{question}")(lambda question: ask(question).json())
    with visiting(app) as client:
        assert client.get("/ask/why").json()["model"] == "gpt-4o-2024-08-06"
        assert miharu.flush()
        assert "/ask/{question}" in client.get("/miharu/calls").text
    assert [row["route"] for row in rows(database)] == ["GET /ask/{question}"]


@of("README.md", "@miharu.observe")
def test_a_call_in_an_observed_function_has_its_user_and_its_span(example: Block, database: Path) -> None:
    miharu.init(database)
    made = example.run({"return question": "return ask(question) and question"}, ask=ask)
    assert made.answer("why?") == "why?"
    assert miharu.flush()
    [call], [span] = rows(database), rows(database, "llm_spans")
    assert (call["user_id"], call["session_id"], json.loads(call["tags"])) == (
        "ann",
        "s-17",
        {"team": "search"},
    )
    assert (span["name"], call["parent_id"]) == ("answer", span["id"])


@of("README.md", "miharu doctor")
def test_each_command_looks_at_what_was_recorded(
    example: Block,
    database: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    miharu.init(database)
    ask()
    assert miharu.shutdown()
    monkeypatch.setenv("MIHARU_DATABASE_URL", str(database))
    assert example.commands == ["miharu dashboard", "miharu stats", "miharu tail", "miharu doctor"]
    for command in ("stats", "doctor"):
        assert main([command]) == 0
    said = capsys.readouterr().out
    assert "gpt-4o" in said
    assert "1 calls" in said or "1 call" in said
    with tailing(tmp_path, "--database", str(database)) as process:
        assert process.stdout is not None
        assert "gpt-4o" in process.stdout.readline()
        assert ended(process)[0] in {0, 130}
    assert "http://127.0.0.1:3001/" in example.text
    with serving(tmp_path, "dashboard", "--port", "0", MIHARU_DATABASE_URL=str(database)) as dashboard:
        assert dashboard.address.startswith("http://127.0.0.1:")
        assert dashboard.end()[0] in {0, 130}


@of("README.md", "MIHARU_DATABASE_URL=")
def test_the_setting_names_a_file(example: Block) -> None:
    [line] = example.commands
    name, _, value = line.partition("=")
    assert database_file(Config.resolve(environ={name: value}).database) == Path("/var/lib/app/calls.db")
