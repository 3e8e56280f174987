"""Exchanges as bytes before they were read, for a recorder that still starts and a program that ends.

Credentials of the request stay in the memory of its own process, and so does what a failed call was answered,
which may repeat them. What is read by another process has no error message and no content.

A record is ``MARK`` and, for each exchange, the length of its facts, the facts in JSON, and the bodies.
"""

import json
import struct
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from miharu._ids import new_id
from miharu.attribution.resolve import Attribution, attribution_of_exchange
from miharu.exchange import Exchange, Request
from miharu.redaction.credentials import credentials, in_body, is_credential
from miharu.redaction.text import REDACTED, redacted_bytes
from miharu.redaction.values import remember

__all__ = ("MARK", "Known", "Unread", "pack_unread", "unpack_unread")

MARK = b"unread 1\n"
"""No MessagePack of a batch begins so."""
_LENGTH = struct.Struct("<I")
_TIMES = ("timestamp", "started", "ended")
_FACTS = ("status", "decoded", "end", "error_type", "lost", "shed")
_ENDS = {"eof", "closed", "dropped", "cancelled", "error"}
_LATEST = 1 << 43
_SIGNS = (
    *(b"authorization", b"api_key", b"api-key", b"apikey", b'_token"', b'-token"', b'"token"', b"secret"),
    *(b"passw", b"cookie", b"credential", b"private_key", b"private-key"),
)
"""What stands, in lower case, in a body or in facts that may hold a credential; all others are not looked
through, which would take longer than to read the call."""
_SIGNS_IN_BODIES = (*_SIGNS, b'headers"', b'_url"', b'"key"', b'pass"', b"key=", b"token=", b"bearer ")
"""Facts have headers and keys of their own."""
_SAID = 64 << 10
"""Bytes of the answer to a failed call that are kept in memory."""


@dataclass(frozen=True, slots=True)
class Known:
    """What stays in the memory of the process that made the call."""

    request: Request
    """Without its body."""
    context: Any
    stated: Any
    traced: Any
    error_message: str | None
    answered: tuple[list[bytes], list[int]] | None
    """The chunks of the answer to a call that failed, and when they arrived."""


class Unread(Exchange):
    """An exchange from a record."""

    __slots__ = ("asked", "attribution", "id", "is_strange")

    def __init__(self, asked: Request, id_: str, attribution: Attribution) -> None:
        super().__init__()
        self.asked = asked
        self.id = id_
        """Of the call that it will be, however often it is read."""
        self.attribution: Attribution | None = attribution
        self.is_strange = True
        """Another process has made it, whose credentials are not known here."""

    def request(self) -> Request:
        return self.asked

    def know(self, known: Known) -> None:
        """Take back what has stayed in this process's memory."""
        self.asked = replace(known.request, body=self.asked.body, gap=self.asked.gap)
        self.context, self.stated, self.traced = known.context, known.stated, known.traced
        self.error_message = known.error_message
        if known.answered is not None:
            self.chunks, self.arrivals = known.answered
        self.attribution, self.is_strange = None, False


def pack_unread(exchanges: Sequence[Exchange]) -> tuple[bytes, list[Known]]:
    """The record, and what is not in it."""
    pieces, known = [MARK], list[Known]()
    for exchange in exchanges:
        request = exchange.request()
        own = credentials(request.headers, request.query, request.userinfo, request.fields)
        if request.body and _may_hold_one(request.body, _SIGNS_IN_BODIES):
            own = (*own, *in_body(request.body))
        remember(own)
        failed = exchange.status is None or exchange.status >= 400
        answer = () if failed else (*exchange.chunks, *(exchange.tail or ()))
        sides = (request.body or b"", *answer)
        bodies = [_without_credentials(body, own, _SIGNS_IN_BODIES) for body in sides]
        facts = _facts(exchange, request, bodies, failed=failed)
        written = _without_credentials(json.dumps(facts, ensure_ascii=True).encode(), own)
        pieces += (_LENGTH.pack(len(written)), written, *bodies)
        known.append(_known(exchange, request, failed=failed))
    return b"".join(pieces), known


def unpack_unread(record: bytes) -> Iterator[Unread]:
    """The exchanges.

    Raises:
        ValueError, TypeError, KeyError, IndexError, struct.error: It is not valid from here on.
    """
    at = len(MARK)
    while at < len(record):
        (length,) = _LENGTH.unpack_from(record, at)
        at += _LENGTH.size
        facts = json.loads(record[at : at + length])
        at += length
        sizes = [_natural(size) for size in facts["sizes"]]
        if at + sum(sizes) > len(record):
            raise ValueError("it is shorter than it says")
        bodies = list[bytes]()
        for size in sizes:
            bodies.append(record[at : at + size])
            at += size
        yield _made(facts, bodies)


def _known(exchange: Exchange, request: Request, *, failed: bool) -> Known:
    answered = None
    if failed:
        whole = sum(map(len, exchange.chunks)) <= _SAID
        chunks = exchange.chunks if whole else [b"".join(exchange.chunks)[:_SAID]]
        answered = (chunks, exchange.arrivals[: len(chunks)])
    return Known(
        replace(request, body=None),
        exchange.context,
        exchange.stated,
        exchange.traced,
        exchange.error_message,
        answered,
    )


def _may_hold_one(data: bytes, signs: Sequence[bytes]) -> bool:
    lower = data.lower()
    return any(sign in lower for sign in signs)


def _without_credentials(data: bytes, own: Sequence[str], signs: Sequence[bytes] = _SIGNS) -> bytes:
    """Without those of the request, and without those that have a name."""
    if _may_hold_one(data, signs):
        return redacted_bytes(data, own)
    for value in map(str.encode, own):
        data = data.replace(value, REDACTED.encode())
    return data


def _facts(exchange: Exchange, request: Request, bodies: Iterable[bytes], *, failed: bool) -> dict[str, Any]:
    return {
        "id": new_id(exchange.timestamp),
        **{name: getattr(exchange, name) for name in (*_TIMES, *_FACTS)},
        "arrivals": [] if failed else exchange.arrivals,
        "headers": dict(_harmless(exchange.response_headers.items())),
        "sizes": [len(body) for body in bodies],
        "head": 0 if failed else len(exchange.chunks),
        "has_tail": exchange.tail is not None and not failed,
        "method": request.method,
        "host": request.host,
        "path": request.path,
        "query": "" if credentials({}, request.query) else request.query,
        "asked": dict(_harmless(request.headers.items())),
        "fields": {} if request.body is None else dict(request.fields),
        "has_body": request.body is not None,
        "gap": request.gap,
        "whose": asdict(attribution_of_exchange(exchange)),
    }


def _harmless(headers: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    return ((name.lower(), value) for name, value in headers if not is_credential(name.lower()))


def _made(facts: dict[str, Any], bodies: list[bytes]) -> Unread:
    """The exchange that unchecked facts describe."""
    asked = Request(
        method=_text(facts["method"]),
        host=_text(facts["host"]),
        path=_text(facts["path"]),
        query=_text(facts["query"]),
        headers=_texts(facts["asked"]),
        fields=_texts(facts["fields"]),
        body=bodies[0] if facts["has_body"] is True else None,
        gap=None if facts["gap"] is None else _natural(facts["gap"]),
    )
    made = Unread(asked, _text(facts["id"]), _attribution_from(**facts["whose"]))
    head = _natural(facts["head"])
    made.chunks = bodies[1 : head + 1]
    made.arrivals = [_natural(at) for at in facts["arrivals"]][: len(made.chunks)]
    made.tail = deque(bodies[head + 1 :]) if facts["has_tail"] is True else None
    made.response_headers = _texts(facts["headers"])
    made.timestamp, made.started, made.ended = (_natural(facts[name]) for name in _TIMES)
    made.status = None if facts["status"] is None else _natural(facts["status"])
    made.decoded, made.shed = facts["decoded"] is True, facts["shed"] is True
    made.lost = _natural(facts["lost"])
    made.end = facts["end"] if facts["end"] in _ENDS else "dropped"
    made.error_type = None if facts["error_type"] is None else _text(facts["error_type"])
    if made.timestamp > _LATEST or made.ended < made.started:
        raise ValueError("it happened at no time")
    return made


def _attribution_from(tags: Any, **texts: Any) -> Attribution:
    texts = {name: None if value is None else _text(value) for name, value in texts.items()}
    return Attribution(tags=None if tags is None else _texts(tags), **texts)


def _natural(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 63:
        raise ValueError(f"{value!r} is not a count")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a text")
    return value


def _texts(value: Any) -> dict[str, str]:
    return {_text(name): _text(item) for name, item in value.items()}
