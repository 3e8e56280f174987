"""What a program asks, in the form in which it is compared with what was recorded.

Bodies are compared by value, without binaries and credentials, as they are kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from miharu.cassettes.bodies import compared
from miharu.cassettes.recorded import Asked
from miharu.interceptor.forms import plain_fields
from miharu.providers.known_rules import KNOWN_RULES
from miharu.redaction.credentials import credentials, in_body
from miharu.redaction.text import redacted, redacted_bytes
from miharu.wire.large import without_binaries

__all__ = ("Ignored", "Question", "ignored", "normal", "path_of", "same", "without")

LONGEST = 4 << 20
"""Bytes of a body that are kept, and compared."""
Ignored = tuple[tuple[str, ...], ...]
"""The places in a body that are not compared, as names one below another; ``*`` is any name or number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One request, on its way to a model."""

    method: str
    host: str
    path: str
    body: Any
    """In the form in which it is compared."""


def normal(body: bytes | None, headers: Mapping[str, str], query: str = "") -> Any:
    """A request's body in the form in which it is kept and compared.

    Args:
        body: As it is sent.
        headers: Of the request, names in lower case.
        query: Of its address.
    """
    if not body:
        return None
    form = plain_fields(body, headers.get("content-type", ""))
    own = credentials(headers, query, "", form)
    if form is not None:
        clean = {
            name: redacted_bytes(value.encode(), own).decode("utf-8", "replace")
            for name, value in form.items()
        }
        return compared(b"", clean)
    own = tuple(dict.fromkeys((*own, *in_body(body[:LONGEST]))))
    return compared(redacted_bytes(without_binaries(body, LONGEST), own)[:LONGEST])


def path_of(path: str, headers: Mapping[str, str], query: str = "") -> str:
    """A request's path in the form in which it is kept and compared; some carry a credential in it."""
    return redacted(path, credentials(headers, query, "", None))


def ignored(paths: Sequence[str]) -> Ignored:
    """The places that these paths name, such as ``metadata.request_id`` or ``messages.*.id``."""
    return tuple(tuple(path.split(".")) for path in paths)


def without(value: Any, places: Ignored) -> Any:
    """The value without what is not compared."""
    if not places or not isinstance(value, dict | list):
        return value
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    kept = []
    for name, one in pairs:
        below = tuple(place[1:] for place in places if place[:1] in {("*",), (str(name),)})
        if () not in below:
            kept.append((name, without(one, below)))
    return dict(kept) if isinstance(value, dict) else [one for _, one in kept]


def same(asked: Asked, question: Question, places: Ignored) -> bool:
    """Whether this is what was asked then."""
    return (
        asked.method == question.method
        and is_at(asked, question)
        and (asked.body is None or without(asked.body, places) == without(question.body, places))
    )


def is_at(asked: Asked, question: Question) -> bool:
    """Whether it goes to the same path; where that was not kept, to a path of the same format."""
    if asked.path is not None:
        return asked.path == question.path
    rules = KNOWN_RULES.get(asked.api or "", ())
    host = question.host.rpartition("@")[2].partition(":")[0]
    if not any(rule.method == "POST" and rule.matches("POST", host, question.path) for rule in rules):
        return False
    if any("stream" in rule.path.lower() for rule in rules):
        tail = question.path.rpartition("/")[2].rpartition(":")[2].lower()
        if ("stream" in tail) is not asked.stream:
            return False
    named = isinstance(asked.body, dict) and "model" in asked.body
    return named or not asked.model or asked.model in unquote(question.path)
