"""From exchanges to stored calls, off the caller's path.

queue.py     where callers leave their exchanges; bounded, never waits
reader.py    Exchange -> Call
attempts.py  which calls are tries of one logical call
estimate.py  a guess at tokens that were not reported, where asked for
worker.py    the thread: drain, read, price, store, export
"""
