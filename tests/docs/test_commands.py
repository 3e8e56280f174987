"""The command line as its page shows it, each command with every option that it has there."""

import os
import re
import sys
from pathlib import Path

import pytest

import miharu
from miharu.cli import main
from miharu.cli._main import COMMANDS
from tests.calls import ask
from tests.cli.test_run import ASKING, rows, started
from tests.docs.blocks import Block, of

VALUES = {
    "URL": None,
    "FILE": "out.csv",
    "M": "gpt-4o-2024-08-06",
    "R": "POST /chat",
    "U": "ann",
    "S": "success",
    "P": "support",
    "CONDITIONS": "-user:bob model:gpt-*",
    "csv|jsonl": "csv",
    "csv|jsonl|openai-jsonl|anthropic-jsonl|dataset": "csv",
    "NAME": "deploy",
    "NAME=VALUE": "by=ci",
    "MOMENT": "10m",
}
SERVING = {"run", "dashboard", "demo", "tail", "cassette"}
"""They go on until they are ended, or become another program: tests/cli runs each, with its options."""


def _arguments(line: str, database: Path, folder: Path) -> list[str]:
    """What is typed: each option, with the value that is shown or one of its kind."""
    line = line.replace("--to URL", f"--to {folder / 'copy.db'}")
    typed = re.findall(r"--?[\w-]+|[^\s\[\]]+", line)[1:]
    values = VALUES | {"URL": str(database), "FILE": str(folder / "out.csv")}
    return [str(values.get(word, word)) for word in typed]


@of("docs/commands.md", "miharu doctor")
def test_each_command_runs_with_every_option_that_is_shown(
    example: Block, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database = tmp_path / "calls.db"
    miharu.init(database)
    with miharu.context(user="ann", route="POST /chat", prompt="support"), miharu.span("chat") as span:
        ask()
    miharu.score(span.trace_id, "helpful", 1)
    assert miharu.shutdown()
    lines = [(line.split()[1], line) for line in example.commands]
    assert {command for command, _ in lines} == {*COMMANDS, "--version"}
    for command, line in lines:
        if command in SERVING:
            continue
        try:
            code = main(_arguments(line, database, tmp_path))
        except SystemExit as ended:
            code = int(str(ended.code))
        assert code == 0, (line, capsys.readouterr())
    assert "gpt-4o-2024-08-06" in (tmp_path / "out.csv").read_text()
    assert (tmp_path / "copy.db").exists()
    assert f"miharu {miharu.__version__}" in capsys.readouterr().out


@of("docs/commands.md", "gunicorn app:app")
def test_a_program_is_run_in_each_form_that_is_shown(example: Block, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(f"{ASKING}\nask()\n")
    (tmp_path / "module.py").write_text(f"{ASKING}\nask()\n")
    (tmp_path / "gunicorn").write_text(
        f"#!/bin/sh\n{sys.executable} module.py\n"
    )  # tests/hosts runs the real one
    (tmp_path / "gunicorn").chmod(0o755)
    (tmp_path / "miharu").write_text(f'#!/bin/sh\nexec {sys.executable} -m miharu "$@"\n')
    (tmp_path / "miharu").chmod(0o755)
    for command in example.commands:
        path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
        done = started(tmp_path, ("/bin/sh", "-c", command), PATH=path)
        assert (done.returncode, done.stderr) == (0, ""), command
    assert len(rows(tmp_path / ".miharu" / "calls.db")) == len(example.commands)
