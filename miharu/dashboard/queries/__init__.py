"""What pages ask the store: together, each question once, and some of it no more often than once a minute."""

__all__ = ()
