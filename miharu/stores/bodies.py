"""Compresses bodies, with zlib, because a codec package would change the host's requests."""

import zlib

from miharu.call import Body

__all__ = ("LARGEST_BODY", "pack", "unpack")

LARGEST_BODY = 4 << 20
"""Bytes of a body that are read: no recorder keeps more, and a few kilobytes of zlib can become gigabytes."""
_STEP = 1 << 16
_MORE = b"\n[The rest of this body is not read: it is larger than any that is kept.]"
_BROKEN = b"\n[The rest of this body cannot be read: what is stored is damaged.]"


def pack(data: bytes | None) -> bytes | None:
    return None if data is None else zlib.compress(data, 1)


def unpack(request: bytes | None, response: bytes | None) -> Body:
    return Body(request=_unpacked(request), response=_unpacked(response))


def _unpacked(data: bytes | None) -> bytes | None:
    """The body as it was; where it is cut or damaged, a note at its end says so."""
    if data is None:
        return None
    unpacker = zlib.decompressobj()
    pieces: list[bytes] = []
    left = LARGEST_BODY
    try:
        while left and not unpacker.eof and data:
            pieces.append(unpacker.decompress(data, min(left, _STEP)))
            left -= len(pieces[-1])
            data = unpacker.unconsumed_tail
    except zlib.error:
        pieces.append(_BROKEN)
    else:
        if not unpacker.eof:
            pieces.append(_MORE if data or not left else _BROKEN)
    return b"".join(pieces)
