"""The command line: one module per command. What is heavy is imported when a command runs.

dashboard   the page on its own, for calls that other processes make
demo        the page with example calls, made by the real OpenAI SDK against a provider of our own
tail        calls as they come
stats       the sums of a range of time
export      calls as CSV or JSON Lines
prune       forget what is old
reprice     what calls cost by the prices that are known today
doctor      what is installed, what is seen, how the database is
"""

from miharu.cli._main import main

__all__ = ("main",)
