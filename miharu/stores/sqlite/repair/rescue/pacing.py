"""How much of the time a rescue may take, and when it is enough."""

import time
from typing import Protocol

__all__ = ("AtOnce", "RescuePace", "Stopped")

PATIENCE_S = 10.0


class Stopped(Exception):  # noqa: N818 - no error
    """The rest is for another time."""


class RescuePace(Protocol):
    """How much of the time it may take."""

    def rest(self, worked: float) -> None:
        """After each step, and how long that has used a processor (seconds).

        Raises:
            Stopped: It is enough for now.
        """
        ...

    def wait(self, seconds: float, error: Exception) -> None:
        """Before a step that was refused is tried again.

        Raises:
            Stopped: It is enough for now.
            Exception: The one that was given; it has been tried often enough.
        """
        ...


class AtOnce:
    """For a user who waits for it, such as one of ``miharu doctor --repair``."""

    def __init__(self) -> None:
        self._waited = 0.0

    def rest(self, worked: float) -> None:  # noqa: ARG002 - as the protocol has it
        self._waited = 0.0

    def wait(self, seconds: float, error: Exception) -> None:
        if self._waited > PATIENCE_S:
            raise error
        time.sleep(seconds)
        self._waited += seconds
