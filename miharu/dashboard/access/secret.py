"""The secret that opens the dashboard where it is not open by itself.

``MIHARU_TOKEN``, or one that is made once and kept beside the database, so that every worker and every
restart of the program has the same. That of a database server lies where calls would be kept if nothing were
set.
"""

import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path
from threading import Lock

from miharu._guard import say_once
from miharu.config import MEMORY, NOWHERE, database_file, public_url
from miharu.config.location import NoPlace, default_database
from miharu.files.private import clear, make_private_folder, open_ours, put, replace

__all__ = (
    "cookie_name",
    "cookie_value",
    "is_short",
    "kept",
    "same",
    "shared_secret",
    "token_for",
    "token_from",
)

_SHORTEST = 16
_known: dict[str, str] = {}
_lock = Lock()


def token_from(environ: Mapping[str, str]) -> str | None:
    """The token that ``MIHARU_TOKEN`` sets."""
    return environ.get("MIHARU_TOKEN", "").strip() or None


def is_short(token: str) -> bool:
    """Whether it could be found by trying."""
    return len(token) < _SHORTEST


def token_for(database: str) -> str:
    """The token of the database of that URL; in memory where nothing can be kept.

    Reads and writes files: not for an event loop.
    """
    with _lock:
        if database not in _known:
            place = None if database in {MEMORY, NOWHERE} else _place_of(database)
            _known[database] = _made() if place is None else _kept_in(place)
        return _known[database]


def kept(database: str) -> str | None:
    """The token, if it was asked for before; touches no file."""
    return _known.get(database)


def cookie_name(database: str) -> str:
    """The cookie's name; each database has its own, since browsers share cookies between ports."""
    return f"miharu_{hashlib.sha256(database.encode()).hexdigest()[:8]}"


def cookie_value(token: str, secret: str) -> str:
    """What the browser keeps: proof of the token, and not the token, which may hold any character.

    The secret keeps it from being guessed even where the token that a person chose can be.
    """
    return hmac.digest(secret.encode(), b"miharu dashboard\0" + token.encode(), "sha256").hex()


def shared_secret(database: str) -> str | None:
    """The URL, where it holds a password: what all machines know that show this database, and no visitor."""
    return database if ":" in database.partition("://")[2].rpartition("@")[0] else None


def same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


def _made() -> str:
    return secrets.token_urlsafe(32)


def _place_of(database: str) -> Path | None:
    file = database_file(database)
    if file is None:  # a server
        name = hashlib.blake2b(public_url(database).encode(), digest_size=8).hexdigest()
        try:
            file = default_database().with_name(name)
        except NoPlace:
            return None
    return file.with_name(f"{file.name}.token")


def _kept_in(file: Path) -> str:
    try:
        make_private_folder(file.parent)
        return _read(file) or _publish(file)
    except OSError as error:
        say_once("the token is not kept: %s %s. Others are made at each start.", file, error.strerror)
        return _made()


def _read(file: Path) -> str | None:
    """The token in the file; ``None`` where there is no file or no token in it.

    A file that others could have put there is renamed and not used, since they know its content.

    Raises:
        OSError: It cannot be read, or not be renamed.
    """
    clear(file)
    try:
        handle = open_ours(file)
    except FileNotFoundError:
        return None
    with os.fdopen(handle, encoding="utf-8", errors="replace") as opened:
        if hasattr(os, "fchmod") and stat.S_IMODE(os.fstat(handle).st_mode) & 0o077:
            os.fchmod(handle, 0o600)
        text = opened.read(1000).strip()
    return text if len(text) >= _SHORTEST else None


def _publish(file: Path) -> str:
    """Put a new token in place; of several processes that try, one wins and all read the winner's.

    The file appears with its content: no process can read it half-written.
    """
    content = f"{_made()}\n".encode()
    try:
        put(file, content)
    except FileExistsError:
        if _read(file) is None:
            replace(file, content)
    return _read(file) or _made()
