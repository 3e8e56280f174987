"""Changing what is kept.

writer.py      the writer, as the recorder uses it
adding.py      what a batch adds
changing.py    what the end of a call, and new prices, change
forgetting.py  pruning and retention
"""

__all__ = ()
