"""Reading what a damaged file still holds.

source.py    opening a damaged file
rowids.py    reading around the damage, in the order of the rows
pages.py     the pages of the file, with the changes beside it
leaves.py    rows on pages to which nothing leads any more
gleaning.py  those of them that were not found before
mending.py   a row as it may be kept
"""

__all__ = ()
