"""The composition root: settings -> interceptor -> queue -> worker -> store.

monitor.py  one process that is watched, or one database that is looked at
process.py  the one of this process, and the public functions over it
capture.py  the calls of a block, whether or not the process is watched
calls.py    what such a block gives
outlet.py   where calls go: the store, its prices and exporters
figures.py  its figures
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
