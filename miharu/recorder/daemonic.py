"""Whether this process may be ended without a word: a worker of ``multiprocessing.Pool``, above all.

It is terminated as soon as the last result is there, and nothing of Python's runs in it any more. So its
calls are taken up at once, and spooled before they are stored, which is the quicker way to be safe.
"""

import sys

__all__ = ("is_daemonic",)


def is_daemonic() -> bool:
    """Whether it is a daemon of ``multiprocessing``, as far as anybody knows yet."""
    process = sys.modules.get("multiprocessing.process")
    if process is None:  # the quick answer, for nearly everybody
        return False
    try:
        return process.parent_process() is not None and bool(process.current_process().daemon)
    except (AttributeError, NameError):  # another thread is in the middle of importing it
        return False
