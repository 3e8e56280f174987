"""A record as bytes, and back: a batch in MessagePack, or exchanges that were not read yet.

Credentials are in no batch, and in no facts of an exchange, so in no file.
"""

import struct

from miharu.batch import Batch
from miharu.exchange import Exchange
from miharu.recorder.spool.unread import MARK, unpack_unread
from miharu.wire.batches import pack, unpack_some, unpack_whole

__all__ = ("Record", "pack", "unpack")

Record = Batch | list[Exchange]

_INVALID = (ValueError, TypeError, OverflowError, RecursionError, MemoryError)


def unpack(payload: bytes) -> tuple[Record, int]:
    """What is in it, without what no call can be made of, and how many those are. It takes any bytes."""
    if payload.startswith(MARK):
        return _exchanges(payload)
    if whole := unpack_whole(payload):
        return whole, 0
    batch, lost = unpack_some(payload)
    return batch, lost if batch else max(lost, 1)  # an empty one is never written


def _exchanges(payload: bytes) -> tuple[list[Exchange], int]:
    found = list[Exchange]()
    try:
        for exchange in unpack_unread(payload):
            found.append(exchange)
    except (*_INVALID, LookupError, AttributeError, struct.error):
        return found, 1
    return found, 0
