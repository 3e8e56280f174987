"""Whether this process may be ended without a word: a worker of ``multiprocessing.Pool``, above all.

It is terminated as soon as the last result is there, and nothing of Python's runs in it any more. So its
calls are spooled on the thread that made them: no other one has to have had its turn.
"""

import sys

__all__ = ("is_daemonic",)


def is_daemonic() -> bool:
    """Whether it is a daemon of ``multiprocessing``, as far as is known yet."""
    process = sys.modules.get("multiprocessing.process")
    if process is None:  # the quick answer, for nearly every process
        return False
    try:
        return process.parent_process() is not None and bool(process.current_process().daemon)
    except (AttributeError, NameError):  # another thread is in the middle of importing it
        return False
