"""An answer as bytes of HTTP/1.1, for clients that parse them."""

from collections.abc import Iterator
from http import HTTPStatus

from miharu.cassettes.recorded import Recorded

__all__ = ("complete", "sent")


def complete(one: Recorded) -> dict[str, str]:
    """The headers, with those that say how the body is framed; a body in several pieces has no length."""
    if len(one.pieces) > 1 or one.is_broken:
        return dict(one.headers)
    return {**one.headers, "content-length": str(sum(map(len, one.pieces)))}


def sent(one: Recorded, *, paced: bool) -> Iterator[tuple[float, bytes]]:
    """What comes over the connection, with the seconds to wait before each part of it.

    Of a response that broke off, the end is missing.
    """
    headers = complete(one)
    is_chunked = "content-length" not in headers
    if is_chunked:
        headers["transfer-encoding"] = "chunked"
    headers["connection"] = "close"
    lines = [f"HTTP/1.1 {one.status} {_phrase(one.status or 0)}", *map(": ".join, headers.items()), "", ""]
    yield 0.0, "\r\n".join(lines).encode("latin-1", "replace")
    for wait, piece in one.schedule(paced=paced):
        yield wait, b"%x\r\n%s\r\n" % (len(piece), piece) if is_chunked and piece else piece
    if is_chunked and not one.is_broken:
        yield 0.0, b"0\r\n\r\n"


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
