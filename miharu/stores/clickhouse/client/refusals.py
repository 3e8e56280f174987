"""Errors of ClickHouse: one that may pass is told from a batch that can never be stored.

The words are ours. What the server says is added where it cannot name the user, and without our statement.
"""

import os
import re
import ssl
from collections.abc import Iterator, Mapping
from typing import Any

from miharu.errors import StoreError

__all__ = ("NO_DATABASE", "NO_TABLE", "code_of", "refusal")

NO_TABLE, NO_DATABASE = 60, 81
_OF_THE_BATCH = {6, 26, 27, 41, 53, 69, 70, 72, 117, 131, 349, 407, 469}
"""Values that cannot be read or converted, and broken constraints."""
_LETS_NOT_IN = "does not let this user in: look at the user and the password"
_MEANINGS: Mapping[int, str] = {
    NO_TABLE: "lacks a table of miharu's",
    NO_DATABASE: "does not exist: make it with CREATE DATABASE",
    158: "refuses to read that many rows at once",
    159: "does not answer in time",
    160: "does not answer in time",
    164: "does not let this user change anything",
    192: _LETS_NOT_IN,
    193: _LETS_NOT_IN,
    194: _LETS_NOT_IN,
    202: "has too many queries at once",
    209: "has lost the connection to another node",
    210: "has lost the connection to another node",
    241: "has not enough memory for it",
    242: "is read-only for now: look at its Keeper",
    243: "cannot grow: the disk is full",
    252: "has too many small parts to merge",
    279: "has lost the connection to another node",
    319: "does not know whether an insert has arrived",
    497: "does not allow this user to do it (docs/clickhouse.md says what is needed)",
    516: _LETS_NOT_IN,
    701: "has no cluster of that name",
    999: "has lost its Keeper",
}
_SILENT = {192, 193, 194, 497, 516}
"""Codes whose messages name the user."""
_SAID = re.compile(
    r"DB::Exception: (.*?)(?:\. In scope |: While |\. \(|\(for url | \(version |\n|$)", re.DOTALL
)
_LONGEST = 200


def code_of(error: BaseException) -> int | None:
    """The server's number, where it said one."""
    return next((code for cause in _causes(error) if (code := getattr(cause, "code", None))), None)


def refusal(error: Exception, name: str) -> StoreError | None:
    """The error for the user; ``None`` where the values are wrong, and trying again would not help."""
    code = code_of(error)
    if code is None:
        words = _unsaid(error)
        return StoreError(f"{name} {words}.") if words else None
    if code in _OF_THE_BATCH:
        return None
    said = "" if code in _SILENT else f" ({_said(error)})"
    return StoreError(f"{name} {_MEANINGS.get(code, 'refuses')}{said}.")


def _unsaid(error: Exception) -> str | None:
    """What is wrong where the server sent no error; ``None`` where it was never asked."""
    from clickhouse_connect.driver.exceptions import ClickHouseError, DataError
    from urllib3 import exceptions as http

    causes = list(_causes(error))

    def first(*kinds: type[BaseException]) -> BaseException | None:
        return next((cause for cause in causes if isinstance(cause, kinds)), None)

    words: str | None = None
    if (tls := first(http.SSLError, ssl.SSLError)) is not None:
        words = f"and miharu do not agree on TLS ({_said(tls)})"
    elif first(http.NameResolutionError):
        words = "cannot be reached (its host is not known)"
    elif isinstance(refused := first(ConnectionError), OSError) and refused.errno:
        words = f"cannot be reached ({os.strerror(refused.errno).lower()})"
    elif first(http.ReadTimeoutError, http.ConnectTimeoutError, TimeoutError):
        words = "does not answer in time"
    elif first(http.ProtocolError, ConnectionError):
        words = "has lost the connection"
    elif isinstance(network := first(OSError), OSError):
        words = f"cannot be reached ({network.strerror or type(network).__name__})"
    elif not first(DataError) and isinstance(error, ClickHouseError | http.HTTPError | RuntimeError):
        words = f"cannot be used ({_said(error)})"
    return words


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    left: list[Any] = [error]
    while left:
        cause = left.pop()
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            left += [cause.__cause__, cause.__context__, getattr(cause, "reason", None)]


def _said(error: BaseException) -> str:
    """The server's own words, without a statement of ours."""
    text = str(error)
    found = _SAID.search(text)
    words = found[1] if found else text.partition("\n")[0]
    return words.strip().rstrip(".")[:_LONGEST]
