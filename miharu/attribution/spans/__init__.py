"""Pieces of work that calls are made in.

span.py     a piece of work around a block
observe.py  the same around each run of a function
given.py    what a span is given and returns, as it was at that moment
stacks.py   where an error came from
"""

__all__ = ()
