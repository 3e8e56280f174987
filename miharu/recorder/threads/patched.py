"""Whether gevent has replaced what threads are made of. What was made before that stays as it was."""

import sys

__all__ = ("is_patched",)


def is_patched() -> bool:
    """Whether threads are gevent's, as far as is known yet."""
    monkey = sys.modules.get("gevent.monkey")
    try:
        return monkey is not None and bool(monkey.is_module_patched("threading"))
    except AttributeError:  # another thread is in the middle of importing it
        return False
