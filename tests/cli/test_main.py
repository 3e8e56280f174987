import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from miharu import __version__
from miharu.cli import main, stats
from miharu.cli._main import COMMANDS

from .conftest import Run, environment


def test_help_is_quick_and_names_the_commands(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "miharu", "--help"],
        check=False,
        capture_output=True,
        text=True,
        env=environment(tmp_path),
    )
    assert done.returncode == 0
    assert all(command in done.stdout for command in COMMANDS)
    third_party = r"\| +(sqlalchemy|litestar|uvicorn|anyio|httpx2?|openai|genai_prices|asyncio)\b"
    assert not re.search(third_party, done.stderr)


def test_the_version_is_told(run_process: Run) -> None:
    assert run_process("--version").stdout == f"miharu {__version__}\n"


def test_without_a_command_it_helps(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert capsys.readouterr().out.startswith("usage: miharu")


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (
            ["export", "--format", "csv"],
            ["There is no database at", ".miharu/calls.db", "miharu.init()", "miharu demo"],
        ),
        (
            ["reprice", "--since", "1d", "--database", "gone.db"],
            ["There is no database at", "gone.db", "--database"],
        ),
        (["stats", "--database", "ht!tp://x"], ["ht!tp://x", "sqlite:///"]),
        (["stats", "--database", "mysql://me:secret@there/x"], ["mysql"]),
        (["stats", "--database", "sqlite:///"], ["memory"]),
        (["stats", "--database", "sqlite://x.db"], ["three slashes"]),
        (["stats", "--database", "."], ["is a folder"]),
        (["stats", "--database", "words.txt"], ["is not a SQLite database"]),
        (["export", "--format", "csv", "--database", "empty.db"], ["is empty", "miharu.init()"]),
        (["stats", "--range", "7x"], ["'7x' is not a length of time", "24h"]),
        (["dashboard", "--port", "99999"], ["is not a valid port"]),
        (["nonsense"], ["invalid choice"]),
    ],
)
def test_what_cannot_work_is_said_in_a_paragraph(
    run: Run, tmp_path: Path, argv: list[str], words: list[str]
) -> None:
    (tmp_path / "words.txt").write_text("Words, and no database at all.")
    (tmp_path / "empty.db").touch()
    done = run(*argv)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    said = " ".join(done.stderr.split())
    assert all(word in said for word in words), said
    assert "secret" not in said
    assert done.stdout == ""
    assert not (tmp_path / ".miharu").exists()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(run: Run, tmp_path: Path) -> None:
    locked = tmp_path / "locked.db"
    locked.touch(mode=0o000)
    done = run("stats", "--database", str(locked))
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "cannot be read: Permission denied" in " ".join(done.stderr.split())


def test_a_used_port_is_named(run_process: Run, recorded: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for command in (["dashboard", "--database", str(recorded)], ["demo", "--no-open"]):
            done = run_process(*command, "--port", str(port))
            assert (done.returncode, "Traceback" in done.stderr) == (2, False)
            assert str(port) in done.stderr


def test_the_variable_names_the_database(run: Run, tmp_path: Path) -> None:
    done = run("stats", env={"MIHARU_DATABASE_URL": "sqlite:///elsewhere.db"})
    assert done.returncode == 0
    assert "elsewhere.db" in done.stderr


def test_a_reader_of_a_pipe_may_leave(run: Run, recorded: Path, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "miharu", "stats", "--json", "--database", str(recorded)],
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (PermissionError(13, "Permission denied", "/locked/x.db"), 2, "/locked/x.db is not for this user"),
        (OSError(28, "No space left on device"), 2, "the output cannot be written or read: No space left"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_whatever_stops_a_command_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    words: str,
) -> None:
    def stopped(_: object) -> int:
        raise error

    monkeypatch.setattr(stats, "run", stopped)
    assert main(["stats"]) == code
    assert words in capsys.readouterr().err
