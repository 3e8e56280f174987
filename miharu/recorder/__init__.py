"""From exchanges to stored calls, off the caller's path.

queue.py     where callers leave their exchanges; bounded, never waits
intake.py    from the queue to a batch
reader.py    Exchange -> Call
attempts.py  which calls are tries of one logical call
estimate.py  a guess at tokens that were not reported, where asked for
tally.py     the figures of this process, and what is said of losses
pipeline.py  read, price, store, export; or spool
spool.py     a file for what the store does not take
chores.py    between batches: take over, sum up, forget
shift.py     one run of the loop: open the store, then turn after turn
worker.py    the thread: shift after shift
"""
