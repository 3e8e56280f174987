"""Whether a file or a folder is this user's alone, or another user could change or replace it.

The effective user counts, and root is a user like others: what belongs to another user is not root's either.
The way to a folder may lead through folders of root's, and through those in which only root and this
user can rename: in folders with the sticky bit, such as ``/tmp``, others cannot.

A file that a group may write to is not private. Only for the folders around ours, whose modes come from the
umask, a group counts as this user where no other user is in it, as in the group that Debian and Fedora give
to each user. Access control lists are not looked at. On Windows all this is unknown, and everything counts
as private.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

__all__ = (
    "Fault",
    "NotOurs",
    "file_fault",
    "folder_fault",
    "is_foreign",
    "kind_fault",
    "mark_fault",
    "may_write",
    "mode_fault",
    "user_words",
)

_KNOWS_USERS = hasattr(os, "geteuid")
_EFFECTIVE = os.access in os.supports_effective_ids
_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_MOST_LINKS = 40
_ACCOUNTS, _GROUPS = Path("/etc/passwd"), Path("/etc/group")
_KINDS = {
    stat.S_IFLNK: "is a symbolic link",
    stat.S_IFDIR: "is a folder",
    stat.S_IFIFO: "is a named pipe",
    stat.S_IFSOCK: "is a socket",
    stat.S_IFCHR: "is a device",
    stat.S_IFBLK: "is a device",
}


class NotOurs(PermissionError):  # noqa: N818 - a state of affairs
    """A file or folder is not this user's alone; ``strerror`` says why, as the rest of a sentence."""

    def __init__(self, words: str, path: Path) -> None:
        super().__init__(1, words, str(path))


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a folder is not this user's alone."""

    path: Path
    """The folder, or one on the way to it."""
    words: str
    """The rest of a sentence that begins with the path."""
    is_foreign: bool = False
    """Whether another user than root decides what this folder is: it is theirs, or the link to it is."""
    is_roots: bool = False
    """Whether it is only that the folder itself belongs to root."""

    def __str__(self) -> str:
        return f"{self.path} {self.words}"


def file_fault(facts: os.stat_result) -> str:
    """Why that is not a file of this user's alone, as the rest of a sentence; empty where it is.

    Args:
        facts: Of the file itself, not of what a link leads to.
    """
    return kind_fault(facts) or mode_fault(facts)


def kind_fault(facts: os.stat_result) -> str:
    """Why that is not a file of this user's with one name, even where others may write to it."""
    if not stat.S_ISREG(facts.st_mode):
        return _KINDS.get(stat.S_IFMT(facts.st_mode), "is not a file")
    if is_foreign(facts):
        return f"belongs to {user_words(facts.st_uid)}"
    if _KNOWS_USERS and facts.st_nlink > 1:
        return "has a second name, which is a hard link"
    return ""


def mode_fault(facts: os.stat_result) -> str:
    """Whether others may write to that file."""
    if _KNOWS_USERS and facts.st_mode & _BY_OTHERS:
        return f"may be written by others (mode {stat.S_IMODE(facts.st_mode):04o}, chmod go-w mends it)"
    return ""


def mark_fault(facts: os.stat_result) -> str:
    """The same for what marks a project: a file, a folder or a link, whose content is not read."""
    if not _KNOWS_USERS:
        return ""
    if is_foreign(facts):
        return f"belongs to {user_words(facts.st_uid)}"
    if not stat.S_ISLNK(facts.st_mode) and _is_open_to_others(facts):
        return f"may be written by others (mode {stat.S_IMODE(facts.st_mode):04o})"
    return ""


def folder_fault(folder: Path, *, strict: bool = False, within: Path | None = None) -> Fault | None:
    """Why others could put something in the place of what is in that folder; ``None`` where they cannot.

    Of a folder that is not there yet, the folders are looked at in which it will be made.

    Args:
        folder: Of this user's.
        strict: Whether a group that has no other user in it is a fault as well.
        within: A folder above it, above which nothing is looked at; without links on its way.

    Raises:
        OSError: That is not to be seen.
    """
    if not _KNOWS_USERS:
        return None
    above = set(map(str, within.parents)) if within is not None else set()
    for step in _way(folder):
        if step.path in above:
            continue
        if fault := _own_fault(step, strict=strict) if step.is_last else _fault_above(step):
            return fault
    return None


def is_foreign(facts: os.stat_result) -> bool:
    """Whether that belongs to another user."""
    return _KNOWS_USERS and facts.st_uid != os.geteuid()


def may_write(path: str | os.PathLike[str]) -> bool:
    """Whether the effective user may write there, whether or not it is the owner."""
    return os.access(path, os.W_OK, effective_ids=_EFFECTIVE)


def user_words(uid: int) -> str:
    """A user, as people know them."""
    with suppress(ImportError, KeyError):
        import pwd

        return f"the user {pwd.getpwuid(uid).pw_name}"
    return f"the user {uid}"


class _Step(NamedTuple):
    """A folder or a link on the way to a folder."""

    path: str
    facts: os.stat_result
    is_last: bool
    """Whether it is the folder itself."""


def _way(folder: Path) -> Iterator[_Step]:
    """From the root to that folder, as far as there is something."""
    # Strings, not paths: this is asked for each folder of a project, on the thread that calls init().
    at, links = "/", 0
    left = _parts(os.path.abspath(folder))  # noqa: PTH100
    yield _Step(at, os.lstat(at), not left)
    while left:
        name = left.pop()
        step = os.path.dirname(at) if name == ".." else os.path.join(at, name)  # noqa: PTH118, PTH120
        try:
            facts = os.lstat(step)
        except FileNotFoundError:
            return
        if not stat.S_ISLNK(facts.st_mode):
            at = step
            yield _Step(step, facts, not left)
            continue
        links += 1
        if links > _MOST_LINKS:
            raise NotOurs("leads through too many links", folder)
        yield _Step(step, facts, is_last=False)
        left += _parts(os.path.join(at, os.readlink(step)))  # noqa: PTH115, PTH118
        at = "/"  # what it leads to is looked at from there on
        yield _Step(at, os.lstat(at), not left)


def _parts(path: str) -> list[str]:
    """The last first."""
    return [part for part in reversed(path.split("/")) if part not in {"", "."}]


def _own_fault(step: _Step, *, strict: bool) -> Fault | None:
    facts = step.facts
    if not stat.S_ISDIR(facts.st_mode):
        return Fault(Path(step.path), _KINDS.get(stat.S_IFMT(facts.st_mode), "is a file"))
    if is_foreign(facts) and facts.st_uid != 0:
        return Fault(Path(step.path), f"belongs to {user_words(facts.st_uid)}", is_foreign=True)
    if facts.st_mode & _BY_OTHERS if strict else _is_open_to_others(facts):
        return Fault(Path(step.path), f"may be written by others (mode {stat.S_IMODE(facts.st_mode):04o})")
    if is_foreign(facts):
        return Fault(Path(step.path), f"belongs to {user_words(0)}", is_roots=True)
    return None


def _fault_above(step: _Step) -> Fault | None:
    facts = step.facts
    is_link = stat.S_ISLNK(facts.st_mode)
    if facts.st_uid not in {0, os.geteuid()}:
        what = "is a link that belongs to" if is_link else "belongs to"
        return Fault(Path(step.path), f"{what} {user_words(facts.st_uid)}", is_foreign=is_link)
    if not is_link and not facts.st_mode & stat.S_ISVTX and _is_open_to_others(facts):
        return Fault(Path(step.path), f"may be written by others (mode {stat.S_IMODE(facts.st_mode):04o})")
    return None


def _is_open_to_others(facts: os.stat_result) -> bool:
    if facts.st_mode & stat.S_IWOTH:
        return True
    return bool(facts.st_mode & stat.S_IWGRP) and not _is_alone_in(facts.st_gid)


def _is_alone_in(group: int) -> bool:
    """Whether only root and this user are in that group, as the files of the system say.

    A group of a directory server is taken for one with others in it: asking who they are could take minutes.
    """
    mine, others, is_local = set[str](), set[str](), False
    try:
        for name, _, uid, gid, *_ in _lines(_ACCOUNTS):
            if int(uid) in {0, os.geteuid()}:
                mine.add(name)
            elif int(gid) == group:
                others.add(name)
        for _, _, gid, members, *_ in _lines(_GROUPS):
            if int(gid) == group:
                is_local = True
                others.update(set(filter(None, members.split(","))) - mine)
    except (OSError, ValueError):
        return False
    return not others and (is_local or not _is_known(group))


def _lines(table: Path) -> Iterator[list[str]]:
    for line in table.read_text(errors="replace").splitlines():
        if line.count(":") >= 3:
            yield line.split(":")


def _is_known(group: int) -> bool:
    try:
        import grp

        grp.getgrgid(group)
    except (ImportError, KeyError):
        return False
    return True
