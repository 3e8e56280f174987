import io
import time
from pathlib import Path

import pytest

from miharu.call import Body, Call
from miharu.cli import main, prune
from miharu.testing.store_contract import make_call

from .conftest import Run, read_back, stored

DAY = 86_400_000
BODY = Body(request=b"asked", response=b"said")


@pytest.fixture
def calls() -> list[Call]:
    now = time.time_ns() // 1_000_000
    return [make_call(timestamp=now - days * DAY, body=BODY) for days in (100, 95, 80, 0)]


@pytest.fixture
def file(tmp_path: Path, calls: list[Call]) -> Path:
    return stored(tmp_path / "calls.db", *calls)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_old_calls_are_forgotten(file: Path, calls: list[Call], run_process: Run) -> None:
    done = run_process("prune", "--before", "90d", "--yes", "--database", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("2 forgotten. The database takes ")
    assert [call.id for call in read_back(file)] == [call.id for call in calls[2:]]


def test_only_the_content_is_forgotten(
    file: Path, calls: list[Call], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prune, "_AT_ONCE", 1)  # step by step
    assert main(["prune", "--before", "90d", "--content-only", "--yes", "--database", str(file)]) == 0
    assert capsys.readouterr().out.startswith("2 forgotten.")
    assert len(read_back(file)) == 4
    assert main(["export", "--format", "jsonl", "--with-content", "--database", str(file)]) == 0
    assert capsys.readouterr().out.count('"request": "asked"') == 2


@pytest.mark.parametrize(("answer", "left"), [("y\n", 2), ("YES\n", 2), ("\n", 4), ("n\n", 4), ("", 4)])
def test_it_asks_first(
    file: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    left: int,
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    assert main(["prune", "--before", "90d", "--database", str(file)]) == (0 if left == 2 else 1)
    said = capsys.readouterr().out
    assert "2 of them. Go on? [y/N]" in said
    assert str(file) in said
    assert ("Nothing was forgotten." in said) == (left == 4)
    assert len(read_back(file)) == left


def test_with_nobody_to_ask_nothing_is_forgotten(file: Path, run: Run) -> None:
    done = run("prune", "--before", "2999-01-01", "--database", str(file))
    assert done.returncode == 2
    assert "pass --yes" in done.stderr
    assert len(read_back(file)) == 4


def test_with_nothing_to_forget_nobody_is_asked(file: Path, run: Run) -> None:
    done = run("prune", "--before", "2020-01-01", "--database", str(file))
    assert (done.returncode, done.stdout) == (
        0,
        f"There are no calls from before 2020-01-01 00:00 UTC in {file}.\n",
    )


def test_no_database_is_made(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    for name in ("gone.db", "empty.db"):
        done = run("prune", "--before", "90d", "--yes", "--database", name)
        assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert [path.name for path in tmp_path.iterdir()] == ["empty.db"]
    assert not (tmp_path / "empty.db").stat().st_size


def test_a_moment_is_asked_for(run: Run) -> None:
    done = run("prune", "--before", "yesterday")
    assert done.returncode == 2
    assert "'yesterday' is not a moment: try 90d" in done.stderr
