"""The command line: one module per command. What is heavy is imported when a command runs.

_main.py     the commands by name
run/         a program that records, with no change of its code
dashboard.py the page on its own, for calls that other processes make
demo/        the page with example calls, by the real OpenAI SDK
tail.py      calls as they come
stats.py     the sums of a range of time
export.py    calls as CSV or JSON Lines (``_flat.py``)
mark.py      a marker on the charts, for deploy scripts
copy.py      everything, from one database into another
prune/       delete what is old, or all of a user
reprice.py   what calls cost by the prices that are known today
doctor/      what is installed, what is seen, how the database is

They share ``_arguments.py``, ``_range.py``, ``_database/`` and ``_output.py``.
"""

from miharu.cli._main import main

__all__ = ("main",)
