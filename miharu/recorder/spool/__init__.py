"""What the store does not take, in a file beside it: first in, first out, and safe from a kill.

spool.py    this process's own file, and those that dead ones have left
file.py     one file: its lock, its records, and what becomes of it
records.py  a batch as the bytes of a record
"""

from miharu.recorder.spool.file import SpoolFile, calls_in
from miharu.recorder.spool.spool import Spool, place_for, spools_at

__all__ = ("Spool", "SpoolFile", "calls_in", "place_for", "spools_at")
