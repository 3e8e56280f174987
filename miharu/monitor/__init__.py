"""The composition root: settings -> interceptor -> queue -> recorder -> store.

monitor.py      one process that is watched, or one database that is looked at
process.py      the one of this process, and the public functions over it
capture.py      the calls of a block, whether or not the process is watched
calls.py        what such a block gives
queries.py      the queries of pages, of the command line, of budgets and alerts
store.py        the store that both share
shared.py       what its threads share
steps.py        in which order the recorder's thread imports that
recording.py    what the recorder works with, imported on its thread
reading.py      what calls are read with
prices.py       what calls cost
left_behind.py  what processes that are gone have left
figures.py      its figures
"""

from miharu.monitor.figures import Stats
from miharu.monitor.monitor import Monitor
from miharu.monitor.process import aflush, ashutdown, check_budget, current, flush, init, shutdown, stats

__all__ = (
    "Monitor",
    "Stats",
    "aflush",
    "ashutdown",
    "check_budget",
    "current",
    "flush",
    "init",
    "shutdown",
    "stats",
)
