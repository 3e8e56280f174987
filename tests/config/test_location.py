import os
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from miharu.config.location import NoPlace, default_database


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


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o775])
def test_a_folder_that_others_can_write_to_is_not_used(
    project: Path, mode: int, caplog: pytest.LogCaptureFixture
) -> None:
    planted = project / "src" / ".miharu"
    planted.mkdir()
    planted.chmod(mode)
    expected = project / ".miharu" / "calls.db"
    assert found(project / "src", project.parent) == expected
    assert found(project / "src", project.parent) == expected
    (message,) = caplog.messages
    assert message == (
        f"miharu: {planted} may be written by others (mode {mode:04o}), so that is passed over, and calls "
        f"are kept in {expected}. For another place, name a file with MIHARU_DATABASE_URL."
    )


@pytest.mark.parametrize("name", ["calls.db", "calls.db-wal", "calls.db-journal"])
@pytest.mark.parametrize("kind", ["writable", "link", "pipe"])
def test_a_folder_with_a_database_that_others_can_write_to_is_not_used(
    project: Path, name: str, kind: str
) -> None:
    file = project / ".miharu" / name
    file.parent.mkdir()
    if kind == "writable":
        file.touch()
        file.chmod(0o666)
    elif kind == "link":
        file.symlink_to(project / "pyproject.toml")
    else:
        os.mkfifo(file)
    home = project.parent
    assert found(project, home) == home / ".local" / "state" / "miharu" / "calls.db"


def test_a_mark_that_others_can_write_to_is_no_root(project: Path, caplog: pytest.LogCaptureFixture) -> None:
    (project / "pyproject.toml").chmod(0o666)
    assert found(project / "src", project.parent) == project / "src" / ".miharu" / "calls.db"
    assert f"{project / 'pyproject.toml'} may be written by others" in caplog.text


def test_a_project_in_which_others_can_rename_is_not_used(
    project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    project.chmod(0o777)
    home = project.parent
    expected = home / ".local" / "state" / "miharu" / "calls.db"
    assert found(project / "src", home) == expected
    assert found(project, home) == expected
    assert "may be written by others" in caplog.text


def test_what_belongs_to_another_user_is_not_used(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / ".miharu").mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    file = None
    with suppress(NoPlace):  # where the home is not even root's
        file = found(project / "src", project.parent)
    assert file is None or not file.is_relative_to(project)


def test_a_home_that_another_user_left_in_the_environment_is_not_used(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As ``sudo`` does on some systems."""
    theirs, own = project.parent, tmp_path / "own"
    own.mkdir()
    monkeypatch.setattr("pwd.getpwuid", lambda uid: SimpleNamespace(pw_dir=str(own), pw_name="me"))
    theirs.chmod(0o777)
    assert found(project, theirs) == own / ".local" / "state" / "miharu" / "calls.db"


def test_where_no_place_is_private_it_says_what_to_do(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.parent.chmod(0o777)
    monkeypatch.setattr("pwd.getpwuid", lambda uid: SimpleNamespace(pw_dir=str(project), pw_name="me"))
    with pytest.raises(NoPlace, match=r"may be written by others .*name a file with MIHARU_DATABASE_URL"):
        found(project, project.parent)


def test_where_nothing_can_be_written_it_is_in_the_state_directory(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode, **_: False)
    home = project.parent
    assert found(project, home) == home / ".local" / "state" / "miharu" / "calls.db"
    environ = {"HOME": str(home), "XDG_STATE_HOME": "/state"}
    assert default_database(environ, project) == Path("/state/miharu/calls.db")
    environ["XDG_STATE_HOME"] = "state"
    assert default_database(environ, project) == home / ".local" / "state" / "miharu" / "calls.db"


def test_a_working_directory_that_is_gone(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = project / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert default_database({"XDG_STATE_HOME": "/state"}) == Path("/state/miharu/calls.db")
