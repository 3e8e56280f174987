"""From an exchange that the interceptor has just seen to what is recorded of it: nothing is guessed here."""

from itertools import pairwise
from typing import Literal

from miharu.cassettes.bodies import compared, events
from miharu.cassettes.file import acted_upon
from miharu.cassettes.question import normal
from miharu.cassettes.recorded import Asked, Recorded
from miharu.exchange import Exchange
from miharu.redaction.credentials import credentials, in_body
from miharu.redaction.text import redacted, redacted_bytes
from miharu.wire.decoding import Decoded, decode
from miharu.wire.headers import lowered

__all__ = ("Refused", "recorded")

Refused = Literal["large", "session", "secret"]


def recorded(exchange: Exchange) -> Recorded | Refused:
    """The exchange as it is kept, without credentials; or why it is not."""
    request = exchange.request()
    if request.method == "WEBSOCKET":
        return "session"
    if request.gap is not None or exchange.lost or exchange.in_parts:
        return "large"
    own = credentials(request.headers, request.query, request.userinfo, request.fields)
    if request.body:
        own = (*own, *in_body(request.body))
    headers = lowered(exchange.response_headers)
    whole = decode(exchange.chunks, "" if exchange.decoded else headers.get("content-encoding", ""))
    if whole.gap is not None or whole.unread:
        return "large"
    clean = redacted_bytes(whole.body, own)
    if clean != whole.body and not _is_text(whole.body):
        return "secret"  # in frames that have lengths and sums, nothing can be put in the place of it
    pieces, at_ms = _pieces(exchange, whole, clean)
    form = request.fields or None
    body = normal(request.body, request.headers, request.query)
    if form and body is None:
        body = compared(b"", {name: redacted(value, own) for name, value in form.items()})
    return Recorded(
        asked=Asked(
            method=request.method,
            path=redacted(request.path, own),
            host=redacted(request.host, own),
            body=body,
        ),
        status=exchange.status,
        headers=acted_upon(headers, own),
        pieces=pieces,
        at_ms=at_ms,
        duration_ms=max(0, round((exchange.ended - exchange.started) / 1e6)),
        error_type=exchange.error_type if exchange.end == "error" else None,
        error_message=redacted(exchange.error_message or "", own) or None
        if exchange.end == "error"
        else None,
    )


def _is_text(body: bytes) -> bool:
    """Whether it is, whatever its header says."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _pieces(exchange: Exchange, whole: Decoded, clean: bytes) -> tuple[list[bytes], list[int]]:
    """The body piece by piece, and when each came.

    A secret may be cut in two by the end of a piece, so a text in which there is one is kept as a whole.
    """
    if clean != whole.body or len(whole.lengths) != len(exchange.arrivals):
        return (events(clean) if clean else []), []
    pieces, at_ms = [], []
    for (start, end), arrival in zip(pairwise((0, *whole.lengths)), exchange.arrivals, strict=True):
        if end > start:
            pieces.append(whole.body[start:end])
            at_ms.append(max(0, round((arrival - exchange.started) / 1e6)))
    return pieces, at_ms
