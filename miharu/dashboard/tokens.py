"""The secret that opens the dashboard where it is not open by itself.

``MIHARU_TOKEN``, or one that is made once and kept beside the database, so that every worker and every
restart of the program has the same.
"""

import hashlib
import hmac
import os
import secrets
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path
from threading import Lock

from miharu._location import make_private

__all__ = ("cookie_name", "cookie_value", "same", "token_for", "token_from")

_SHORTEST = 16
_kept: dict[Path | None, str] = {}
_lock = Lock()


def token_from(environ: Mapping[str, str]) -> str | None:
    """The token that somebody chose."""
    return environ.get("MIHARU_TOKEN", "").strip() or None


def token_for(database: Path | None) -> str:
    """The token kept beside the database file; in memory where there is no file or nothing can be kept.

    Reads and writes files: not for an event loop.
    """
    with _lock:
        if database not in _kept:
            _kept[database] = _made() if database is None else _kept_beside(database)
        return _kept[database]


def cookie_name(database: str) -> str:
    """Browsers share cookies between ports, so each database has a name of its own."""
    return f"miharu_{hashlib.sha256(database.encode()).hexdigest()[:8]}"


def cookie_value(token: str) -> str:
    """What the browser keeps: proof of the token, and not the token, which may hold any character."""
    return hmac.digest(token.encode(), b"miharu dashboard", "sha256").hex()


def same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


def _made() -> str:
    return secrets.token_urlsafe(32)


def _kept_beside(database: Path) -> str:
    file = database.with_name(f"{database.name}.token")
    try:
        if not file.parent.is_dir():
            make_private(database)
        return _read(file) or _publish(file)
    except OSError:
        return _made()


def _read(file: Path) -> str | None:
    """The token in the file; ``None`` where there is no file or no token in it.

    Raises:
        PermissionError: The file is somebody else's: who put it there would know the token.
    """
    try:
        handle = os.open(file, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    except FileNotFoundError:
        return None
    with os.fdopen(handle, encoding="utf-8", errors="replace") as opened:
        status = os.fstat(handle)
        if hasattr(os, "geteuid") and status.st_uid != os.geteuid():
            raise PermissionError(f"{file} belongs to another user")
        if hasattr(os, "fchmod") and stat.S_IMODE(status.st_mode) & 0o077:
            os.fchmod(handle, 0o600)
        text = opened.read(1000).strip()
    return text if len(text) >= _SHORTEST else None


def _publish(file: Path) -> str:
    """Put a new token in place; of several processes that try, one wins and all read the winner's.

    The file appears with its content, by a link: nobody can read it half-written.
    """
    handle, draft = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as opened:
            opened.write(_made() + "\n")
        try:
            os.link(draft, file)
        except FileExistsError:
            if _read(file) is None:
                Path(draft).replace(file)
        return _read(file) or _made()
    finally:
        Path(draft).unlink(missing_ok=True)
