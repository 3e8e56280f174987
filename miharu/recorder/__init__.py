"""From exchanges to stored calls, off the caller's path.

queue.py     where callers leave their exchanges; bounded, never waits
intake.py    from the queue to a batch
reader.py    Exchange -> Call
outcome.py   how a call ended, judged in one place
headers.py   what the headers say of it
attempts.py  which calls are tries of one logical call
estimate.py  a guess at tokens that were not reported, where asked for
waste.py     what was asked before: answers.py the same to the letter, prefixes.py prompts that begin alike
prompts.py   what a model reads of a request, in order
costs.py     what it cost, and what a cache would have saved
tally.py     the figures of this process, and what is said of losses
pipeline.py  read, price, store, export; or spool
spool/       a file for what the store does not take
chores.py    between batches: take over, sum up, forget
shift.py     one run of the loop: open the store, then turn after turn
worker.py    the thread: shift after shift
endings.py   the ways in which a process ends that let one do something before
daemonic.py  whether this process may be ended without a word
"""
