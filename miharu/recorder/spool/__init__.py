"""What the store does not take, in a file beside it: first in, first out, and safe from a kill.

spool.py    this process's own file, and those that dead ones have left
file.py     one file: its lock, its records, and what becomes of it
records.py  a batch, or exchanges, as the bytes of a record
unread.py   exchanges that were not read yet
"""

from miharu.recorder.spool.file import SpoolFile, calls_in
from miharu.recorder.spool.records import Record
from miharu.recorder.spool.spool import (
    Spool,
    UnreadSpooling,
    place_for,
    spool_at_once,
    spool_unread,
    spools_at,
)
from miharu.recorder.spool.unread import Unread

__all__ = (
    "Record",
    "Spool",
    "SpoolFile",
    "Unread",
    "UnreadSpooling",
    "calls_in",
    "place_for",
    "spool_at_once",
    "spool_unread",
    "spools_at",
)
