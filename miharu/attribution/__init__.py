"""The owner of a call: the request, job, span and user that it was made for, and its scores.

tracing.py   ids of traces and spans, those of others and our own
routes/      the route of the host's app, or the script, by name
records.py   where spans, scores and markers are left for the recorder
stated.py    what the program itself states
context.py   the one reference that is kept while the program runs
stepping.py  the same for a request that is answered in steps
scoped.py    ``miharu.context``: stating it, for a block or for the rest
spans/       pieces of work: around a block, or each run of a function
captures.py  the captures that get calls as they are read
resolve.py   the owner for the columns, worked out in the recorder from that reference
marks.py     moments that the program names
scores.py    ratings of a call or a trace
"""

__all__ = ()
