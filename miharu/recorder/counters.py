"""The figures of this process, and what is said when calls are lost."""

import logging

__all__ = ("Counters", "Losses")

logger = logging.getLogger("miharu")

QUIET_S = 10.0
"""How long no call must be lost before the end of losses is logged."""


class Counters:
    """What this process has done. Not a dataclass: it is made on the program's own thread."""

    __slots__ = (
        "captured",
        "estimated",
        "failed_exports",
        "failures",
        "last_write",
        "shed",
        "unpriced",
        "unstorable",
        "written",
    )

    unstorable: int
    """Calls that no store could take, and that were lost."""
    shed: int
    """Calls that were spooled without their bodies, because the spool was half full."""
    failures: int
    """Writes that failed; a failed write is tried again."""
    failed_exports: int
    """Counted on the exporters' loop, and so in a figure of its own."""
    last_write: float | None
    """Unix seconds."""

    def __init__(self) -> None:
        self.captured = self.written = self.unpriced = self.estimated = 0
        self.unstorable = self.shed = self.failures = self.failed_exports = 0
        self.last_write = None


class Losses:
    """Logs once when calls begin to be lost, and once when that is over."""

    def __init__(self) -> None:
        self._reported = 0
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
                self._known - self._reported,
            )
            self._reported, self._since = self._known, None
