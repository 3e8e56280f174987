"""The command line: one module per command. Each is read only when its command runs, so ``--help`` is quick.

dashboard   the page on its own, for calls that other processes make
demo        the page with example calls, made by the real OpenAI SDK against a provider of our own
stats       the sums of a range of time
doctor      what is installed, what is seen, how the database is
"""

from miharu.cli._main import main

__all__ = ("main",)
