"""Files of the user's own, which no other user reads, changes or redirects.

private.py  the only ways to open, make and replace one
trust.py    whether another user could have put a file there, or could change it
lock.py     a file locked against other processes
"""

__all__ = ()
