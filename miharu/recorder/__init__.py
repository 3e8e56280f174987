"""From exchanges to stored calls, off the caller's path.

queue.py     where callers leave their exchanges; bounded, never waits
reader.py    Exchange -> Call
worker.py    the thread: drain, read, price, store, export
"""
