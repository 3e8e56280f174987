"""A bell that wakes one sleeping thread."""

import threading

__all__ = ("Bell",)


class Bell:
    """Wakes the one thread that waits for it. Rung before that, it wakes it at once; rung twice, once.

    A plain lock, because ``threading.Event`` would cost a caller ten times as much; and what rings may be a
    collection in the middle of another ring.
    """

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()

    def ring(self) -> None:
        try:
            self._lock.release()
        except RuntimeError:  # it rings already
            return

    def wait(self, seconds: float | None = None) -> bool:
        """Whether it was rung, within that time or at any time."""
        if seconds is None:
            return self._lock.acquire()
        return self._lock.acquire(timeout=seconds) if seconds > 0 else self._lock.acquire(blocking=False)
