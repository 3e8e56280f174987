import os
import stat
from pathlib import Path

import pytest

from miharu._location import default_database, make_private


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a folder inside, in a home."""
    root = tmp_path / "home" / "project"
    (root / "src" / "deep").mkdir(parents=True)
    (root / "pyproject.toml").touch()
    return root


def found(start: Path, home: Path) -> Path:
    return default_database({"HOME": str(home)}, start)


def test_it_is_at_the_projects_root(project: Path) -> None:
    assert found(project / "src" / "deep", project.parent) == project / ".miharu" / "calls.db"


def test_the_nearest_existing_folder_wins(project: Path) -> None:
    (project / "src" / ".miharu").mkdir()
    assert found(project / "src" / "deep", project.parent) == project / "src" / ".miharu" / "calls.db"


def test_it_does_not_look_past_the_root(project: Path) -> None:
    (project.parent / ".miharu").mkdir()
    assert found(project / "src", project.parent.parent) == project / ".miharu" / "calls.db"


def test_it_does_not_look_past_home(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "work").mkdir(parents=True)
    (tmp_path / ".miharu").mkdir()
    assert found(home / "work", home) == home / "work" / ".miharu" / "calls.db"


def test_somebody_elses_folder_is_not_used(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "src" / ".miharu").mkdir()
    monkeypatch.setattr(os, "getuid", lambda: 54321)
    assert found(project / "src", project.parent) == project / ".miharu" / "calls.db"


def test_where_nothing_can_be_written_it_is_in_the_state_directory(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    home = project.parent
    assert found(project, home) == home / ".local" / "state" / "miharu" / "calls.db"
    environ = {"HOME": str(home), "XDG_STATE_HOME": "/state"}
    assert default_database(environ, project) == Path("/state/miharu/calls.db")


def test_a_working_directory_that_is_gone(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = project / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert default_database({"XDG_STATE_HOME": "/state"}) == Path("/state/miharu/calls.db")


def test_folder_and_file_are_private(tmp_path: Path) -> None:
    file = tmp_path / ".miharu" / "calls.db"
    make_private(file)
    make_private(file)
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (file.parent / ".gitignore").read_text() == "*\n"


def test_a_folder_of_the_users_is_left_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    make_private(folder / "calls.db")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    assert not (folder / ".gitignore").exists()
