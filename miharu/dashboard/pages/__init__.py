"""One module for each page: which parts it has, what they ask, and which file can be made of it."""

__all__ = ()
