"""Opening, making and replacing files where another user could have put something in their place."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from miharu.files import private
from miharu.files.trust import NotOurs, file_fault

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such files")


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """What must not be touched."""
    file = tmp_path / ".bashrc"
    file.write_text("umask 022\n")
    return file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "folder"
    made.mkdir(mode=0o700)
    return made


def _folder(path: Path, victim: Path) -> None:
    path.mkdir()
    (path / "something").touch()


def _writable(path: Path, victim: Path) -> None:
    path.touch()
    path.chmod(0o666)


TRAPS: dict[str, Callable[[Path, Path], object]] = {
    "link": lambda path, victim: path.symlink_to(victim),
    "link to nothing": lambda path, victim: path.symlink_to(victim.with_name("new")),
    "hard link": lambda path, victim: path.hardlink_to(victim),
    "pipe": lambda path, victim: os.mkfifo(path),
    "device": lambda path, victim: path.symlink_to("/dev/zero"),
    "folder": _folder,
    "writable": _writable,
}


@pytest.fixture(params=TRAPS)
def trap(request: pytest.FixtureRequest, folder: Path, victim: Path) -> Path:
    """Something else in the place of a file."""
    path = folder / "file"
    TRAPS[request.param](path, victim)
    return path


@contextmanager
def untouched(victim: Path) -> Iterator[None]:
    before = victim.read_bytes(), victim.stat().st_mode, victim.stat().st_ino
    yield
    assert (victim.read_bytes(), victim.stat().st_mode, victim.stat().st_ino) == before
    assert not victim.with_name("new").exists()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_opens_no_trap(trap: Path, victim: Path) -> None:
    with untouched(victim):
        for attempt in (private.open_ours, lambda path: private.open_ours(path, write=True)):
            with pytest.raises(NotOurs):
                attempt(trap)
        with pytest.raises(NotOurs):
            private.read(trap, 10)


def test_it_makes_nothing_over_a_trap(trap: Path, victim: Path) -> None:
    with untouched(victim):
        with pytest.raises(FileExistsError):
            private.make(trap)
        with pytest.raises(FileExistsError):
            private.put(trap, b"new")


def test_what_is_replaced_is_the_trap_itself(trap: Path, victim: Path) -> None:
    with untouched(victim):
        if trap.is_dir():
            with pytest.raises(OSError, match=r"file|directory"):
                private.replace(trap, b"new")
            assert [path.name for path in trap.parent.iterdir()] == ["file"]
        else:
            private.replace(trap, b"new")
            assert private.read(trap, 10) == b"new"
            assert mode(trap) == 0o600


def test_it_renames_a_trap_and_says_so(trap: Path, victim: Path, caplog: pytest.LogCaptureFixture) -> None:
    with untouched(victim):
        private.clear(trap)
    assert not os.path.lexists(trap)
    aside = next(trap.parent.iterdir())
    assert aside.name.startswith("file.set-aside-")
    words = file_fault(os.lstat(aside))
    end = "and your program is not affected."
    assert caplog.messages == [f"miharu: {trap} {words}; it was set aside as {aside.name}, {end}"]


def test_it_renames_nothing_where_others_can_write(trap: Path, victim: Path) -> None:
    trap.parent.chmod(0o777)
    with untouched(victim), pytest.raises(NotOurs):
        private.clear(trap)
    assert os.path.lexists(trap)


def test_a_file_of_ours_is_left_alone(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = folder / "file"
    private.clear(file)
    private.make_private(file)
    private.clear(file)
    assert file.exists()
    assert not caplog.messages


def test_a_lock_in_a_trap_is_refused(trap: Path, victim: Path) -> None:
    with untouched(victim):
        if stat.S_IMODE(os.lstat(trap).st_mode) == 0o666:  # it is of this user's, and empty
            os.close(private.open_or_make(trap))
            assert mode(trap) == 0o600
        else:
            with pytest.raises(NotOurs):
                private.open_or_make(trap)


def test_a_lock_is_made_once_and_for_its_owner_only(folder: Path) -> None:
    for _ in range(2):
        os.close(private.open_or_make(folder / "lock"))
        assert mode(folder / "lock") == 0o600


def test_a_file_that_becomes_a_trap_while_it_is_opened(
    folder: Path, victim: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, opened = folder / "file", os.open
    file.touch(mode=0o600)

    def swapped(path: Path, flags: int, permissions: int = 0o777) -> int:
        file.unlink()
        file.hardlink_to(victim)
        return opened(path, flags, permissions)

    monkeypatch.setattr(os, "open", swapped)
    with untouched(victim), pytest.raises(NotOurs):
        private.open_ours(file, write=True)


def test_a_database_of_another_may_be_opened_for_reading(folder: Path, victim: Path) -> None:
    handle = private.open_any(victim)
    assert os.read(handle, 5) == b"umask"
    os.close(handle)
    os.mkfifo(folder / "pipe")
    (folder / "link").symlink_to(victim)
    for path in (folder / "pipe", folder / "link", folder, Path("/dev/null")):
        with pytest.raises(NotOurs):
            private.open_any(path)


def test_a_draft_has_a_name_that_cannot_be_foreseen(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, replace = list[str](), os.replace

    def seeing(source: Path, target: Path) -> None:
        seen.append(Path(source).name)
        replace(source, target)

    monkeypatch.setattr(os, "replace", seeing)
    private.replace(folder / "file", b"one")
    private.replace(folder / "file", b"two")
    assert len(set(seen)) == 2
    assert [path.name for path in folder.iterdir()] == ["file"]


def test_a_draft_that_cannot_be_written_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> object:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdopen", full)
    with pytest.raises(OSError, match="No space"):
        private.replace(folder / "file", b"one")
    assert not list(folder.iterdir())


def test_a_file_is_put_there_with_its_content(folder: Path) -> None:
    private.put(folder / "file", b"one")
    assert (folder / "file").read_bytes() == b"one"
    assert mode(folder / "file") == 0o600
    assert [path.name for path in folder.iterdir()] == ["file"]


def test_folders_are_made_for_this_user_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        private.make_private(tmp_path / "state" / ".miharu" / "calls.db")
    finally:
        os.umask(before)
    assert mode(tmp_path / "state") == mode(tmp_path / "state" / ".miharu") == 0o700
    assert mode(tmp_path / "state" / ".miharu" / "calls.db") == 0o600
    assert (tmp_path / "state" / ".miharu" / ".gitignore").read_text() == "*\n"


def test_a_folder_of_the_users_is_left_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    private.make_private(folder / "calls.db")
    private.make_private(folder / "calls.db")
    assert mode(folder) == 0o755
    assert not (folder / ".gitignore").exists()
