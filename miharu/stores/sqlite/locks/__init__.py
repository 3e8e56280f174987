"""Locks on the database file and beside it.

writer_lock.py  one writer at a time among all processes
queued_lock.py  a lock on a file, and a place in the queue for it
handles.py      reading the file beside SQLite, without taking its locks away
"""
