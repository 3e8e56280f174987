"""From exchanges to stored calls, off the caller's path.

queue.py         where callers leave their exchanges; bounded, never waits
recorder.py      the thread: run after run
orders.py        what other threads want of it
bell.py          what wakes it
run.py           one run: open the store, then window after window
pipeline.py      read, price, store, export; or spool
batch_reader.py  from the queue to a batch
reader.py        Exchange -> Call
outcome.py       how a call ended, judged in one place
headers.py       what the headers say of it
attempts.py      which calls are tries of one logical call
jobs.py          when the work began that goes on after its answer
estimate.py      a guess at tokens that were not reported, where asked for
waste.py         what was asked before
answers.py       the same to the letter
prefixes.py      prompts that begin alike
prompts.py       what a model reads of a request, in order
costs.py         what it cost, and what a cache would have saved
prices_loader.py the prices, loaded beside the recorder
counters.py      the figures of this process, and what is said of losses
spool/           a file for what the store does not take
maintenance.py   between batches: take over, sum up, forget
exports.py       passing on what was stored
loop.py          an asyncio loop in a thread of its own, for exporters, questions and servers
imports.py       what is being imported, so that a fork waits for its end
endings.py       the ways in which a process ends that let one do something before
daemonic.py      whether this process may be ended without a word
patched.py       whether gevent has replaced what threads are made of
"""
