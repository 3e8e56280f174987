"""What people read: on pages, in the command line, in a test run.

numbers.py money, counts, durations, moments
names.py   providers and errors
"""

__all__ = ()
