"""What the answers of another miharu mean: a state that may pass, or a batch that cannot be stored."""

import json
import os
import ssl

from miharu.errors import StoreError
from miharu.redaction.text import cut
from miharu.redaction.values import remembered
from miharu.stores.remote.exchange import Answer

__all__ = ("Refused", "TooMuch", "checked", "unreachable")

_LONGEST = 10_000
"""Bytes of an answer that may hold words."""
_SHOWN = 500
"""Characters of them."""
_STORE = {
    401: "does not accept the token: put the one that it shows at its start into the database's URL",
    403: "does not accept the token: put the one that it shows at its start into the database's URL",
    404: "takes in no calls: start it with --ingest, or asgi(ingest=True), and look at the path in the URL",
    405: "takes in no calls: start it with --ingest, or asgi(ingest=True), and look at the path in the URL",
}


class TooMuch(Exception):  # noqa: N818 - a state of affairs
    """The batch is larger than it, or a proxy before it, takes at once."""


class Refused(ValueError):  # noqa: N818 - a state of affairs
    """The batch itself cannot be stored there."""


def checked(answer: Answer, name: str) -> bytes:
    """The body of an answer that says yes.

    Args:
        answer: What was answered.
        name: Of the other one, as it is shown.

    Raises:
        TooMuch: The batch is too large.
        Refused: The batch cannot be stored, now or later.
        StoreError: It was not stored, but may be later.
    """
    status = answer.status
    if status == 200 and answer.is_miharu:
        return answer.body
    if status == 413:
        raise TooMuch
    said = _said(answer)
    if status == 400 and answer.is_miharu:
        raise Refused(f"{name} refuses the batch: {said}")
    if status in _STORE:
        raise StoreError(f"{name} {_STORE[status]}.")
    if 300 <= status < 400:
        raise StoreError(f"{name} redirects to another address: name that one in the database's URL.")
    if status == 200:
        raise StoreError(f"{name} is not a miharu that takes in calls: look at host and path in the URL.")
    raise StoreError(f"{name} answers {status}{f': {said}' if said else '.'}")


def unreachable(error: Exception, name: str) -> StoreError:
    """The error for the user, where no answer came."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return StoreError(
            f"The certificate of {name} is not trusted ({error.verify_message}). Where its authority is your "
            "own, name its file in SSL_CERT_FILE."
        )
    if isinstance(error, ssl.SSLError):
        return StoreError(f"{name} and miharu do not agree on TLS ({error.reason}).")
    if isinstance(error, TimeoutError):
        return StoreError(f"{name} does not answer in time.")
    reason = os.strerror(error.errno).lower() if isinstance(error, OSError) and error.errno else ""
    if isinstance(error, OSError) and error.strerror:
        reason = error.strerror.lower()
    return StoreError(f"{name} cannot be reached ({reason or type(error).__name__}).")


def _said(answer: Answer) -> str:
    """The words of a miharu; a proxy's page is not repeated."""
    if not answer.is_miharu or len(answer.body) > _LONGEST:
        return ""
    try:
        found = json.loads(answer.body)["error"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""
    if not isinstance(found, str):
        return ""
    found = "".join(sign if sign.isprintable() else " " for sign in found[:_LONGEST])
    return cut(found, _SHOWN, remembered())
