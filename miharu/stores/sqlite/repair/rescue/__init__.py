"""Bringing the rows of a damaged file into the new one, beside the recording.

rescuer.py  the thread in which that takes its time
rescue.py   one file, from its first row to its last
target.py   the new file
pacing.py   how much of the time it may take
report.py   how far that has come
"""

__all__ = ()
