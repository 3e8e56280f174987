"""What was sent and received, made small: zlib, because a codec package would change the host's requests."""

import zlib

from miharu.call import Body

__all__ = ("pack", "unpack")


def pack(data: bytes | None) -> bytes | None:
    return None if data is None else zlib.compress(data, 1)


def unpack(request: bytes | None, response: bytes | None) -> Body:
    request, response = (None if data is None else zlib.decompress(data) for data in (request, response))
    return Body(request=request, response=response)
