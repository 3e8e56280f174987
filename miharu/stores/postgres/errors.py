"""Errors of PostgreSQL: one that may pass is told from a batch that can never be stored.

The words are ours. What the server says is added where it cannot name the user; it never knows the password.
"""

import os
import ssl
from collections.abc import Iterator, Mapping

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from miharu.errors import StoreError

__all__ = ("ADDRESS", "LOCKED", "NO_PARTITION", "TAKEN", "is_gone", "refusal", "state_of")

NO_PARTITION, TAKEN, LOCKED = "23514", "23505", "55P03"
_OF_THE_BATCH = ("22", "23", "54")
"""Classes of SQLSTATE: wrong values, broken constraints, limits that a row goes beyond."""
_SILENT = ("28", "53300")
"""States whose messages name the user."""
_MEANINGS: Mapping[str, str] = {
    "08": "has lost the connection",
    "25006": "is read-only; it may be a replica: name the primary, or add target_session_attrs=read-write",
    "28": "does not let this user in: look at the user, the password and pg_hba.conf",
    "3D000": "does not exist: make it with createdb",
    "40": "was asked for the same by several at once",
    "42501": "does not allow this user to do it (docs/postgres.md says what is needed)",
    "42P01": "lacks a table of miharu's",
    "53100": "cannot grow: the disk is full",
    "53300": "has no connection left for this user",
    LOCKED: "is locked by another session",
    "57014": "broke it off",
    "57P03": "is starting or stopping",
    "57P": "has ended the connection",
}
ADDRESS = "cannot be understood: percent-encode what is special in user and password, and look at its options"


def state_of(error: BaseException) -> str | None:
    """The SQLSTATE, where the server said one."""
    return next((state for cause in _causes(error) if (state := getattr(cause, "sqlstate", None))), None)


def is_gone(error: BaseException) -> bool:
    """Whether only the connection failed, so that a new one may work."""
    from asyncpg.exceptions import InternalClientError

    state = state_of(error)
    if state is not None:
        return state.startswith(("08", "57P"))
    return any(
        # in the middle of something, on a connection that no other task uses: it was cut there
        isinstance(cause, ConnectionError | InternalClientError) or "connection is closed" in str(cause)
        for cause in _causes(error)
    )


def refusal(error: Exception, name: str) -> StoreError | None:
    """The error for the user; ``None`` where the values are wrong, and trying again would not help."""
    state = state_of(error)
    if state is None:
        words = _without_state(error)
        return StoreError(f"{name} {words}.") if words else None
    if state.startswith(_OF_THE_BATCH):
        return None
    meaning = next((words for known, words in _MEANINGS.items() if state.startswith(known)), "refuses")
    message = "" if state.startswith(_SILENT) else f" ({_server_message(error)})"
    return StoreError(f"{name} {meaning}{message}.")


def _without_state(error: Exception) -> str | None:
    """What is wrong where the server sent no error."""
    cause = list(_causes(error))[-1]
    if isinstance(cause, ssl.SSLError):
        return f"and miharu do not agree on TLS ({cause.reason or 'look at sslmode and sslrootcert'})"
    if isinstance(cause, TimeoutError | PoolTimeout):
        return "does not answer in time"
    if isinstance(cause, ConnectionError) and cause.errno:
        return f"cannot be reached ({os.strerror(cause.errno).lower()})"
    if isinstance(cause, OSError):
        return f"cannot be reached ({cause.strerror or type(cause).__name__})"
    of_the_batch = isinstance(cause, ValueError | TypeError | OverflowError)
    return None if of_the_batch else f"cannot be used ({_server_message(error)})"


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.orig if isinstance(cause, DBAPIError) else cause.__cause__


def _server_message(error: BaseException) -> str:
    """The server's own first line, without a statement of ours."""
    return str(list(_causes(error))[-1]).partition("\n")[0].rstrip(".")
