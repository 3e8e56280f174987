"""Two calls side by side: what differs, and did it matter?

sides.py     the two calls, each with what was said in it
figures.py   cost, time and tokens of both, and what changed
settings.py  what was asked for beside the words: which differ, which are the same
messages.py  the messages of both, laid beside each other
near.py      which calls are likely to be laid beside one
"""

from miharu.dashboard.pair.near import near
from miharu.dashboard.pair.sides import laid

__all__ = ("laid", "near")
