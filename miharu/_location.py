# ruff: noqa: PTH110, PTH112 - the methods of Path raise where a folder is closed to us, these functions do not
"""Where calls are kept when nobody says where: one rule, for writers and readers alike.

The nearest ``.miharu/`` upwards that the same user owns, not past the project's root nor the home folder;
else one is made at that root, or in the working directory; where that cannot be written, the user's state
directory.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

__all__ = ("default_database", "make_private", "make_private_folder")

FOLDER = ".miharu"
FILE = "calls.db"
_ROOT_MARKS = ("pyproject.toml", ".git")


def default_database(environ: Mapping[str, str] = os.environ, start: Path | None = None) -> Path:
    """The file to use; neither it nor its folder is made here."""
    home = Path(environ.get("HOME") or os.path.expanduser("~"))  # noqa: PTH111 - Path.home() may raise
    try:
        here = start or Path.cwd()
    except OSError:  # it has been deleted
        return _state(environ, home)
    root = None
    for folder in (here, *here.parents):
        existing = folder / FOLDER
        if os.path.isdir(existing) and _is_ours(existing):
            return existing / FILE if os.access(existing, os.W_OK) else _state(environ, home)
        if any(os.path.exists(folder / mark) for mark in _ROOT_MARKS):
            root = folder
            break
        if folder == home:
            break
    target = root or here
    return target / FOLDER / FILE if os.access(target, os.W_OK) else _state(environ, home)


def make_private(file: Path) -> None:
    """Make the folder (0700, ignored by git) and the file (0600), where they do not exist yet."""
    make_private_folder(file.parent)
    with suppress(FileExistsError):
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def make_private_folder(folder: Path) -> None:
    """Make the folder (0700, ignored by git), where it does not exist yet."""
    if not folder.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.name == FOLDER:
            (folder / ".gitignore").write_text("*\n")


def _is_ours(path: Path) -> bool:
    return not hasattr(os, "getuid") or path.stat().st_uid == os.getuid()


def _state(environ: Mapping[str, str], home: Path) -> Path:
    base = environ.get("XDG_STATE_HOME")
    return (Path(base) if base else home / ".local" / "state") / "miharu" / FILE
