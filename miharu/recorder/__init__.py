"""From exchanges to stored calls, off the caller's path.

queue.py         where callers leave their exchanges; bounded, never waits
recorder.py      the thread: run after run
threads/         how it is woken, how it and the process end, and the loop of its asynchronous work
run.py           one run: open the store, then window after window
pipeline.py      read, price, store, export; or spool
batch_reader.py  from the queue to a batch
reading/         Exchange -> Call, without secrets
waste/           which calls repeat earlier ones, or a part of them
costing/         what a call cost, and what a cache would have saved
budgets/         what budgets have spent, and which calls they refuse
counters.py      the figures of this process, and what is said of losses
spool/           a file for what the store does not take
maintenance.py   between batches: take over, sum up, delete
exports.py       passing on what was stored
"""
