"""Where calls are kept when no place is set: one rule, for writers and readers alike.

The nearest ``.miharu/`` upwards from the working directory (from that of ``miharu run``, in the programs that
it has started) that is this user's alone, not past the project's root nor the home folder;
else one is made at that root, or in the working directory; where that cannot be written, or others can write
to it, the user's state directory. What is another user's is passed over, and so is what another user could
have put there or could change (``files.trust``). The log says that once.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from miharu._guard import say_once
from miharu.files.private import FOLDER
from miharu.files.trust import Fault, file_fault, folder_fault, is_foreign, mark_fault, may_write

__all__ = ("RUN_FOLDER", "NoPlace", "default_database")

RUN_FOLDER = "MIHARU_RUN_FOLDER"
"""Names the working directory of ``miharu run``: the children of a program work in others."""
FILE = "calls.db"
_ROOT_MARKS = ("pyproject.toml", ".git")
_OF_THE_DATABASE = ("", "-wal", "-shm", "-journal")
_REMEDY = "name a file with MIHARU_DATABASE_URL"


class NoPlace(Exception):  # noqa: N818 - a state of affairs
    """There is no place that is this user's alone; the message says why, and what to do."""


def default_database(environ: Mapping[str, str] = os.environ, start: Path | None = None) -> Path:
    """The file to use; neither it nor its folder is made here.

    Raises:
        NoPlace: Others can write wherever it could be.
    """
    home = Path(environ.get("HOME") or os.path.expanduser("~"))  # noqa: PTH111 - Path.home() may raise
    passed_over: list[str] = []
    try:
        here = start or _run_folder(environ) or Path.cwd()
    except OSError:  # it has been deleted
        file = None
    else:
        file = _in_project(here, home, passed_over)
    if file is None:
        file = _state(environ, home, passed_over)
    if passed_over:
        say_once(
            "%s, so that is passed over, and calls are kept in %s. For another place, %s.",
            "; ".join(dict.fromkeys(passed_over)),
            file,
            _REMEDY,
        )
    return file


def _run_folder(environ: Mapping[str, str]) -> Path | None:
    folder = Path(environ.get(RUN_FOLDER) or "")
    return folder if folder.is_absolute() and os.path.isdir(folder) else None  # noqa: PTH112 - as in config


def _in_project(here: Path, home: Path, passed_over: list[str]) -> Path | None:
    """The file in the project; ``None`` where it has no place that is this user's alone."""
    target = here
    for folder in (here, *here.parents):
        existing = folder / FOLDER
        if os.path.lexists(existing):
            if not (words := _database_fault(existing)):
                return existing / FILE if may_write(existing) else None
            passed_over.append(words)
        if any(_is_our_mark(folder / mark, passed_over) for mark in _ROOT_MARKS):
            target = folder
            break
        if folder == home:
            break
    if os.path.lexists(target / FOLDER) or not may_write(target):
        return None
    if fault := _fault(target):
        passed_over.append(str(fault))
        return None
    return target / FOLDER / FILE


def _database_fault(folder: Path) -> str:
    """Why that ``.miharu`` is not used, beginning with its path; empty where it is."""
    if fault := _fault(folder, strict=True):
        return str(fault)
    for part in _OF_THE_DATABASE:
        file = folder / f"{FILE}{part}"
        with suppress(FileNotFoundError):
            if words := file_fault(os.lstat(file)):
                return f"{file} {words}"
    return ""


def _is_our_mark(mark: Path, passed_over: list[str]) -> bool:
    try:
        facts = os.lstat(mark)
    except OSError:
        return False
    if words := mark_fault(facts):
        if (
            not is_foreign(facts) or facts.st_uid != 0
        ):  # a user of root's program need not be told of its files
            passed_over.append(f"{mark} {words}")
        return False
    if fault := _fault(mark.parent):
        passed_over.append(str(fault))
        return False
    return True


def _state(environ: Mapping[str, str], home: Path, passed_over: list[str]) -> Path:
    faults: list[str] = []
    for folder in _state_folders(environ, home):
        # who could put another folder in the place of the home could do worse: nothing above it is looked at
        within = next((each for each in folder.parents if each == _real(home)), None)
        fault = _fault(folder, within=within)
        if fault is None:
            passed_over += faults
            return folder / "miharu" / FILE
        faults.append(str(fault))
    reasons = "; ".join(dict.fromkeys((*passed_over, *faults)))
    raise NoPlace(f"There is no place for calls that is this user's alone: {reasons}. To record, {_REMEDY}.")


def _state_folders(environ: Mapping[str, str], home: Path) -> Iterator[Path]:
    """The state directory, and that in the home of the effective user: ``sudo`` may have left another's."""
    base = Path(environ.get("XDG_STATE_HOME") or "")
    if base.is_absolute():  # another says nothing (XDG Base Directory Specification)
        yield base
    yield _real(home) / ".local" / "state"
    with suppress(ImportError, KeyError):
        import pwd

        yield _real(Path(pwd.getpwuid(os.geteuid()).pw_dir)) / ".local" / "state"


def _real(folder: Path) -> Path:
    return Path(os.path.realpath(folder))


def _fault(folder: Path, *, strict: bool = False, within: Path | None = None) -> Fault | None:
    try:
        return folder_fault(folder, strict=strict, within=within)
    except OSError as error:
        return Fault(folder, f"cannot be looked at ({error.strerror})")
