"""Whose a file or folder is. What takes two real users stands in ``tests/security/test_neighbours.py``."""

import os
import socket
import stat
from pathlib import Path

import pytest

from miharu.files import trust
from miharu.files.trust import file_fault, folder_fault, mark_fault

pytestmark = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="Windows knows no such users")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of this user's alone."""
    made = tmp_path / "folder"
    made.mkdir(mode=0o700)
    return made


@pytest.fixture
def another_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on, what this user has made is another's."""
    monkeypatch.setattr(os, "geteuid", lambda: 54321)


def fault_of(path: Path) -> str:
    return file_fault(os.lstat(path))


def words(folder: Path, *, strict: bool = False) -> str:
    return str(folder_fault(folder, strict=strict) or "")


def test_a_private_file_has_no_fault(folder: Path) -> None:
    file = folder / "file"
    file.touch(mode=0o644)
    assert not fault_of(file)


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_a_group_or_everybody_may_write_to_is_not_private(folder: Path, mode: int) -> None:
    file = folder / "file"
    file.touch()
    file.chmod(mode)
    assert "may be written by others" in fault_of(file)


def test_a_second_name_is_a_fault(folder: Path) -> None:
    (folder / "file").touch()
    (folder / "other").hardlink_to(folder / "file")
    assert "second name" in fault_of(folder / "file")


def test_what_is_not_a_file_is_named(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    (folder / "link").symlink_to(folder / "nothing")
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(os.path.relpath(folder / "door"))
    assert fault_of(folder / "pipe") == "is a named pipe"
    assert fault_of(folder / "link") == "is a symbolic link"
    assert fault_of(folder / "door") == "is a socket"
    assert fault_of(folder) == "is a folder"
    assert fault_of(Path("/dev/null")) == "is a device"


@pytest.mark.usefixtures("another_user")
def test_a_file_of_another_user_is_named_with_its_owner(folder: Path) -> None:
    file = folder / "file"
    file.touch()
    assert fault_of(file) == f"belongs to {trust.user_words(file.stat().st_uid)}"
    assert mark_fault(os.lstat(file)) == fault_of(file)


def test_a_user_without_a_name_is_a_number() -> None:
    assert trust.user_words(54321) == "the user 54321"
    assert trust.user_words(0) == "the user root"


def test_a_private_folder_has_no_fault(folder: Path) -> None:
    assert folder_fault(folder) is None
    assert folder_fault(folder / "to" / "be" / "made") is None


@pytest.mark.parametrize("mode", [0o707, 0o777, 0o1777])
def test_a_folder_that_everybody_may_write_to_is_not_private(folder: Path, mode: int) -> None:
    folder.chmod(mode)
    assert words(folder) == f"{folder} may be written by others (mode {mode:04o})"


def test_a_folder_in_one_that_everybody_may_write_to_can_be_replaced(folder: Path) -> None:
    (folder / "mine").mkdir(mode=0o700)
    folder.chmod(0o777)
    assert words(folder / "mine").startswith(f"{folder} may be written")
    assert words(folder / "to be made").startswith(f"{folder} may be written")


def test_in_a_sticky_folder_others_cannot_rename(folder: Path) -> None:
    (folder / "mine").mkdir(mode=0o700)
    folder.chmod(0o1777)
    assert folder_fault(folder / "mine") is None
    assert folder_fault(folder / "to be made") is None


def test_what_lies_above_may_be_left_out(folder: Path) -> None:
    home = folder / "home"
    (home / "state").mkdir(parents=True, mode=0o700)
    folder.chmod(0o777)
    assert folder_fault(home / "state", within=home) is None
    home.chmod(0o777)
    assert str(folder_fault(home / "state", within=home)).startswith(str(home))


def test_links_are_followed_step_by_step(folder: Path) -> None:
    (folder / "open" / "inner").mkdir(parents=True)
    (folder / "open").chmod(0o777)
    (folder / "link").symlink_to("open/../open/inner")
    assert words(folder / "link").startswith(f"{folder / 'open'} may be written")
    (folder / "absolute").symlink_to(folder)
    assert folder_fault(folder / "absolute") is None


def test_a_link_to_a_folder_above_is_that_folder(folder: Path) -> None:
    (folder / "open" / "inner").mkdir(parents=True)
    (folder / "open").chmod(0o777)
    targets = ("open/inner/..", "open/inner/../", "./open/.", f"{folder}/open/inner/..")
    for number, target in enumerate(targets):
        (folder / f"link{number}").symlink_to(target)
        assert words(folder / f"link{number}") == f"{folder / 'open'} may be written by others (mode 0777)"


def test_a_link_to_the_root_folder_is_looked_at_as_that(folder: Path) -> None:
    (folder / "link").symlink_to("/")
    *_, link, last = trust._way(folder / "link")
    assert (link.path, link.is_last) == (str(folder / "link"), False)
    assert (last.path, last.is_last) == ("/", True)


def test_links_in_a_circle_end(folder: Path) -> None:
    (folder / "one").symlink_to("two")
    (folder / "two").symlink_to("one")
    with pytest.raises(trust.NotOurs, match="too many links"):
        folder_fault(folder / "one")


@pytest.mark.usefixtures("another_user")
def test_a_folder_of_another_user_is_foreign(folder: Path) -> None:
    fault = folder_fault(folder)
    assert fault is not None
    assert "belongs to" in fault.words
    assert fault.is_foreign == (folder.stat().st_uid != 0)


def test_a_file_in_the_place_of_the_folder(folder: Path) -> None:
    (folder / "file").touch()
    assert words(folder / "file") == f"{folder / 'file'} is a file"


class TestGroups:
    """The group that is this user's alone."""

    @pytest.fixture(autouse=True)
    def tables(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr(trust, "_ACCOUNTS", tmp_path / "passwd")
        monkeypatch.setattr(trust, "_GROUPS", tmp_path / "group")
        self.write(tmp_path)
        return tmp_path

    def write(self, tables: Path, accounts: str = "", members: str = "") -> None:
        uid, gid = os.geteuid(), tables.stat().st_gid
        own = f"ann:x:{uid}:{gid}:Ann:/home/ann:/bin/sh\n" if uid else ""
        (tables / "passwd").write_text(f"root:x:0:0:root:/root:/bin/sh\n{own}{accounts}")
        (tables / "group").write_text(f"+\nann:x:{gid}:{members}\n")

    def test_a_folder_may_be_open_to_it(self, folder: Path) -> None:
        folder.chmod(0o775)
        assert folder_fault(folder) is None
        assert not mark_fault(os.lstat(folder))

    def test_but_not_one_of_ours(self, folder: Path) -> None:
        folder.chmod(0o775)
        assert "may be written" in words(folder, strict=True)

    def test_not_when_it_has_another_member(self, tables: Path, folder: Path) -> None:
        self.write(tables, members="root,bob")
        folder.chmod(0o775)
        assert "may be written" in words(folder)
        assert "may be written" in mark_fault(os.lstat(folder))

    def test_not_when_it_is_the_group_of_another_account(self, tables: Path, folder: Path) -> None:
        self.write(tables, accounts=f"bob:x:4711:{tables.stat().st_gid}:Bob:/home/bob:/bin/sh\n")
        folder.chmod(0o775)
        assert "may be written" in words(folder)

    def test_not_when_nobody_knows_who_is_in_it(
        self, tables: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder.chmod(0o775)
        (tables / "group").write_text("")
        monkeypatch.setattr(trust, "_is_known", lambda group: True)  # to a directory server
        assert "may be written" in words(folder)
        monkeypatch.setattr(trust, "_is_known", lambda group: False)  # to nobody, as in many containers
        assert folder_fault(folder) is None
        (tables / "passwd").unlink()
        assert "may be written" in words(folder)


def test_a_group_without_a_name_is_unknown() -> None:
    assert not trust._is_known(54321987)
    assert trust._is_known(0)


def test_where_users_are_unknown_everything_is_private(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = folder / "file"
    file.touch()
    file.chmod(0o666)
    folder.chmod(0o777)
    monkeypatch.setattr(trust, "_KNOWS_USERS", False)
    assert not fault_of(file)
    assert not mark_fault(os.lstat(file))
    assert folder_fault(folder) is None
    assert stat.S_ISDIR(os.lstat(folder).st_mode)
    assert fault_of(folder) == "is a folder"
