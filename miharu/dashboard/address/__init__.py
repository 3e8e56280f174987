"""The address is all the state of a page: what it asks for, and the time that it means."""

__all__ = ()
