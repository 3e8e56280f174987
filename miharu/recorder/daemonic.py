"""Whether this process may be ended without a word: a worker of ``multiprocessing.Pool``, above all.

It is terminated as soon as the last result is there, and nothing of Python's runs in it any more. So its
calls are taken up at once, and spooled before they are stored, which is the quicker way to be safe.
"""

import sys

__all__ = ("is_daemonic",)


def is_daemonic() -> bool:
    """Whether it is a daemon of ``multiprocessing``, as far as anybody knows yet."""
    process = sys.modules.get("multiprocessing.process")
    # another thread may be in the middle of importing it
    parent = getattr(process, "parent_process", None)
    if process is None or parent is None or parent() is None:  # the quick answer, for nearly everybody
        return False
    return bool(process.current_process().daemon)
