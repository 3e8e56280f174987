"""The only ways in which miharu opens, makes and replaces files of its own: no link leads it elsewhere.

What is opened is a regular file of this user's alone (``trust``). Opening follows no link and waits for no
pipe; what was opened is looked at again, because a name can come to mean another file at any moment. What is
made was not there before, and only its owner can read it. What is replaced is written under a name that
cannot be foreseen, and then renamed.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path

from miharu._guard import say_once
from miharu.files.trust import NotOurs, file_fault, folder_fault, is_foreign

__all__ = (
    "clear",
    "make",
    "make_private",
    "make_private_folder",
    "open_any",
    "open_or_make",
    "open_ours",
    "put",
    "read",
    "replace",
    "require",
    "require_file",
)

FOLDER = ".miharu"
_SAFELY = (
    getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)  # a pipe in the place of a file would wait for a writer
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
_PRIVATE = 0o600
_RENAMES = 3


def require(path: Path, facts: os.stat_result) -> None:
    """Go on only where that is a file of this user's alone.

    Raises:
        NotOurs: It is not.
    """
    if words := file_fault(facts):
        raise NotOurs(words, path)


def require_file(path: Path) -> None:
    """Return only where that is a regular file, of any owner, and not a link to one.

    Raises:
        FileNotFoundError: There is none.
        NotOurs: It is something else.
    """
    facts = os.lstat(path)
    if not stat.S_ISREG(facts.st_mode):
        raise NotOurs(file_fault(facts), path)


def open_ours(path: Path, *, write: bool = False) -> int:
    """A file that is this user's alone, open for reading, or for both.

    Raises:
        FileNotFoundError: There is none.
        NotOurs: It is another user's, or others could have changed it, or it is not a file.
        OSError: It cannot be opened.
    """
    require(path, os.lstat(path))  # before it is opened: opening a device may do something
    return _looked_at(path, os.open(path, (os.O_RDWR if write else os.O_RDONLY) | _SAFELY))


def open_any(path: Path) -> int:
    """A regular file, of any owner, open for reading.

    Raises:
        FileNotFoundError: There is none.
        NotOurs: It is a link, or not a file.
        OSError: It cannot be opened.
    """
    require_file(path)
    handle = os.open(path, os.O_RDONLY | _SAFELY)
    if stat.S_ISREG(os.fstat(handle).st_mode):
        return handle
    os.close(handle)
    raise NotOurs("is not a file", path)


def make(path: Path) -> int:
    """A new file, open for reading and writing, readable to its owner only.

    Raises:
        FileExistsError: There is something of that name, be it a link that leads nowhere.
        OSError: It cannot be made.
    """
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _SAFELY, _PRIVATE)


def open_or_make(path: Path) -> int:
    """The file, open for reading and writing; made where it is missing, closed to others where it was not.

    For a file whose content is not read, such as a lock: who can open it can hold it.

    Raises:
        NotOurs: What is there is not a file of this user's.
        OSError: It cannot be opened or made.
    """
    for _ in range(_RENAMES):  # another process may make it or remove it meanwhile
        with suppress(FileExistsError):
            return make(path)
        with suppress(FileNotFoundError):
            _close_to_others(path)
            return open_ours(path, write=True)
    raise NotOurs("comes and goes", path)


def read(path: Path, most: int) -> bytes:
    """The first bytes of a file that is this user's alone.

    Raises:
        FileNotFoundError: There is none.
        NotOurs: It is another user's, or others could have changed it, or it is not a file.
        OSError: It cannot be read.
    """
    with os.fdopen(open_ours(path), "rb") as file:
        return file.read(most)


def replace(path: Path, content: bytes) -> None:
    """Put a file there in the place of what was: whole or not at all.

    Raises:
        OSError: It cannot be written, or a folder has that name.
    """
    draft = _draft(path, content)
    try:
        os.replace(draft, path)  # noqa: PTH105 - a link of that name is replaced, not followed
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise


def put(path: Path, content: bytes) -> None:
    """Put a file there, which appears with its content, where nothing has that name yet.

    Raises:
        FileExistsError: Something has.
        OSError: It cannot be written.
    """
    draft = _draft(path, content)
    try:
        os.link(draft, path)
    finally:
        with suppress(OSError):
            draft.unlink()


def clear(path: Path) -> None:
    """Rename what has that name, unless it is a file of this user's alone, and say so.

    Raises:
        NotOurs: It cannot be renamed, because others can write to the folder as well.
        OSError: It cannot be renamed.
    """
    try:
        words = file_fault(os.lstat(path))
    except FileNotFoundError:
        return
    if not words:
        return
    if folder_fault(path.parent):
        raise NotOurs(words, path)
    aside = path.with_name(f"{path.name}.set-aside-{os.urandom(4).hex()}")
    path.rename(aside)
    say_once("%s %s; it was set aside as %s, and your program is not affected.", path, words, aside.name)


def make_private(file: Path) -> None:
    """Make the folder (0700, ignored by git) and the file (0600), where they do not exist yet.

    Raises:
        OSError: They cannot be made.
    """
    make_private_folder(file.parent)
    with suppress(FileExistsError):
        os.close(make(file))


def make_private_folder(folder: Path) -> None:
    """Make the folder (0700, ignored by git) and those above it, where they do not exist yet.

    Raises:
        NotOurs: It lies in another user's folder, or behind another user's link.
        OSError: It cannot be made.
    """
    _refuse_foreign(folder)
    missing = [folder] if not folder.exists() else []
    while missing and not missing[-1].parent.exists():
        missing.append(missing[-1].parent)
    for each in reversed(missing):
        with suppress(FileExistsError):
            each.mkdir(mode=0o700)
            if each.name == FOLDER:
                replace(each / ".gitignore", b"*\n")
    if missing:  # another user may have been quicker
        _refuse_foreign(folder)


def _refuse_foreign(folder: Path) -> None:
    fault = folder_fault(folder)
    if fault is not None and fault.is_foreign:
        raise NotOurs(fault.words, fault.path)


def _draft(path: Path, content: bytes) -> Path:
    """The content in a new file whose name cannot be guessed."""
    draft = path.with_name(f"{path.name}.new-{os.urandom(8).hex()}")
    try:
        with os.fdopen(make(draft), "wb") as file:
            file.write(content)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise
    return draft


def _looked_at(path: Path, handle: int) -> int:
    try:
        require(path, os.fstat(handle))
    except BaseException:
        os.close(handle)
        raise
    return handle


def _close_to_others(path: Path) -> None:
    """Take from others what an earlier version or a copy has given them; only of this user's own file."""
    if not hasattr(os, "fchmod"):
        return
    facts = os.lstat(path)
    if (
        not stat.S_ISREG(facts.st_mode)
        or is_foreign(facts)
        or facts.st_nlink > 1
        or not facts.st_mode & 0o077
    ):
        return
    handle = os.open(path, os.O_RDONLY | _SAFELY)
    try:
        opened = os.fstat(handle)
        if (opened.st_dev, opened.st_ino, opened.st_nlink) == (facts.st_dev, facts.st_ino, 1):
            os.fchmod(handle, _PRIVATE)
    finally:
        os.close(handle)
