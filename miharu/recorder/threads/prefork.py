"""Whether this is the first process of uWSGI, which forks its workers without regard to Python's threads.

A worker of which a thread of ours held the interpreter's lock at that moment would never begin.
"""

import sys

__all__ = ("is_prefork",)


def is_prefork() -> bool:
    """Whether workers are still to be forked, and by whom no Python is asked."""
    uwsgi = sys.modules.get("uwsgi")
    try:
        return uwsgi is not None and uwsgi.worker_id() == 0
    except AttributeError:  # another module of that name
        return False
