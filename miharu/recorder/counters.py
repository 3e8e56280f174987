"""The figures of this process, and what is said when calls are lost."""

import logging
from dataclasses import dataclass

__all__ = ("Counters", "Losses")

logger = logging.getLogger("miharu")

QUIET_S = 10.0
"""How long nothing is lost before that is said too."""


@dataclass(slots=True)
class Counters:
    """What this process has done."""

    captured: int = 0
    written: int = 0
    unpriced: int = 0
    estimated: int = 0
    unstorable: int = 0
    """Calls that no store could take, and that were lost."""
    shed: int = 0
    """Calls that were spooled without their bodies, because the spool was half full."""
    failures: int = 0
    """Writes that failed; a failed write is tried again."""
    failed_exports: int = 0
    """Counted on the exporters' loop, and so beside the others."""
    last_write: float | None = None
    """Unix seconds."""


class Losses:
    """Says once when calls begin to be lost, and once when that is over."""

    def __init__(self) -> None:
        self._said = 0
        self._known = 0
        self._since: float | None = None

    def look(self, lost: int, now: float) -> None:
        """Compare how many calls were lost so far with what is known, at that moment (seconds)."""
        if lost > self._known:
            if self._since is None:
                logger.warning(
                    "miharu: more calls come than can be kept; the content of some, or all of it, is lost. "
                    "miharu.stats() counts them; your program is not affected."
                )
            self._known, self._since = lost, now
        elif self._since is not None and now - self._since >= QUIET_S:
            self.end()

    def due(self, now: float) -> float | None:
        """Seconds until there may be something to say."""
        return None if self._since is None else max(0.0, self._since + QUIET_S - now)

    def end(self) -> None:
        """Say how many they were, if any."""
        if self._since is not None:
            logger.warning(
                "miharu: %d calls were lost, or kept without their content; no more are.",
                self._known - self._said,
            )
            self._said, self._since = self._known, None
