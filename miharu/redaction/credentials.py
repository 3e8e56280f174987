"""Which values a request has carried as credentials: in its headers, its address and its body."""

import re
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from urllib.parse import parse_qsl, unquote

from miharu.redaction.fields import named
from miharu.redaction.names import Verdict, is_parameter, verdict
from miharu.redaction.shapes import shaped
from miharu.redaction.values import is_telling

__all__ = ("credentials", "in_body", "is_credential")

_NO_CREDENTIALS = frozenset(
    {"idempotency-key", "x-idempotency-key", "sec-websocket-key", "x-session-affinity"}
)
_MOST = 64
"""Values of one request; no ordinary request has more."""
_SEVERAL = re.compile(r"[\s,]+")


def credentials(
    headers: Mapping[str, str], query: str = "", userinfo: str = "", fields: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """The values that the headers, the query, the part of the address before the host and a form carry.

    Args:
        headers: Of the request, names in lower case.
        query: Without its question mark.
        userinfo: ``user:password``, as it stands in the address.
        fields: The plain fields of a multipart form.
    """
    found: dict[str, None] = {}
    for name in _naming(tuple(headers)):
        if value := headers[name]:
            found |= dict.fromkeys(_in_header(name, value))
    if _may_hold_others("".join(headers.values())):
        for value in filter(_may_hold_others, headers.values()):
            found |= dict.fromkeys(_within(value))
    if fields:
        found |= dict.fromkeys(_telling(value for name, value in fields.items() if is_parameter(name)))
    if query:
        found |= dict.fromkeys(_in_query(query))
    if userinfo:
        found |= dict.fromkeys(_in_userinfo(userinfo))
    return tuple(found)[:_MOST]


def in_body(body: bytes) -> tuple[str, ...]:
    """The values of secrets that a body carries, by the names of its fields."""
    values = (body[start:end].decode("utf-8", "replace") for start, end, _ in named(body))
    return tuple(dict.fromkeys(_telling(_with_parts(values))))[:_MOST]


@lru_cache(256)
def _naming(names: tuple[str, ...]) -> tuple[str, ...]:
    """Which of these headers hold credentials: most requests of a program have the same."""
    # cookies last, because there may be many
    return tuple(sorted(filter(is_credential, names), key=lambda name: "cookie" in name))


@lru_cache(1024)
def is_credential(name: str) -> bool:
    """Whether a header of that name, in lower case, may carry one."""
    return name not in _NO_CREDENTIALS and verdict(name) is not Verdict.NO


def _may_hold_others(value: str) -> bool:
    """Whether it may be the settings of a gateway in JSON, or another address."""
    return "{" in value or "?" in value or "@" in value


@lru_cache(256)
def _in_header(name: str, value: str) -> tuple[str, ...]:
    if "cookie" in name:
        return tuple(_telling(part.partition("=")[2].strip().strip('"') for part in value.split(";")))
    return tuple(_telling((*_with_parts([value]), *_one_by_one(value))))


@lru_cache(256)
def _within(value: str) -> tuple[str, ...]:
    data = value.encode("utf-8", "replace")
    seen = [data[start:end].decode("utf-8", "replace") for start, end in shaped(data)]
    found = (*in_body(data), *seen, *(one.partition(":")[2] for one in seen))
    return tuple(_telling(each for one in found for each in (one, unquote(one))))


@lru_cache(256)
def _in_query(query: str) -> tuple[str, ...]:
    pairs = parse_qsl(query, encoding="utf-8", errors="replace", max_num_fields=None)
    return tuple(_telling(value for name, value in pairs if is_parameter(name)))


@lru_cache(256)
def _in_userinfo(userinfo: str) -> tuple[str, ...]:
    user, _, password = userinfo.partition(":")
    return tuple(_telling([unquote(userinfo), unquote(password) or unquote(user)]))


def _with_parts(values: Iterable[str]) -> Iterator[str]:
    """Each value, and its parts: scheme and token, user and password, the fields of a signature."""
    for value in values:
        yield value
        scheme, _, rest = value.strip().partition(" ")
        if not rest:
            continue
        yield rest.strip()
        if scheme.lower() == "basic":
            pair = _decoded(rest.strip())
            yield pair
            yield pair.partition(":")[2]
        elif "=" in rest and "," in rest:
            yield from (part.partition("=")[2].strip(' "') for part in rest.split(","))


def _one_by_one(value: str) -> Iterator[str]:
    """Each of several keys, without quotes, and what follows the id of one; words are none."""
    for part in _SEVERAL.split(value):
        one = part.strip("\"'")
        if one.isalpha() and one != value:
            continue
        yield one
        yield one.partition(":")[2]


def _decoded(code: str) -> str:
    try:
        return b64decode(code + "=" * (-len(code) % 4), validate=True).decode("utf-8", "replace")
    except ValueError:
        return ""


def _telling(values: Iterable[str]) -> Iterator[str]:
    return (value for value in values if is_telling(value))
