"""What is done between batches, a small step at a time: take over, sum up, delete."""

import logging
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from miharu._guard import swallowed
from miharu.errors import StoreError
from miharu.recorder.pipeline import Pipeline

if TYPE_CHECKING:
    from miharu.recorder.spool import SpoolFile

__all__ = ("Maintenance", "Retention")

logger = logging.getLogger("miharu")

LOOK_S = 10.0
"""Between two looks for files that a process has left behind when it died."""
LAST_LOOK_S = 1.0
ROLL_UP_S = 1.0
"""Seconds between two steps of the sums, while calls keep coming."""
PRUNE_S = 3600.0
PRUNE_STEP_S = 1.0
PRUNE_LATE_S = 60.0
"""So long it waits for a moment in which no call does."""
PRUNED_AT_ONCE = 1000
AGAIN_S = 30.0
"""Seconds to wait after the store has refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long calls and their content are kept, in milliseconds; ``None`` for ever."""

    calls_ms: int | None = None
    content_ms: int | None = None


class Maintenance:
    """Does one step at a time. A store that refuses is logged once, and tried again later."""

    def __init__(
        self,
        pipeline: Pipeline,
        retention: Retention | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._pipeline = pipeline
        self._retention = retention
        self._clock = clock
        self._now = now
        self._refusal = ""
        self._not_before = 0.0
        self._found: Iterator[SpoolFile] | None = None
        self._taken_over: SpoolFile | None = None
        self._recovered = 0
        self._look_at = 0.0
        self._rolled_up_at = 0.0
        self._rolled_up: object = None
        self._more_to_roll_up = True
        self._prune_at = clock() + PRUNE_STEP_S
        self._prune_late_at = self._prune_at + PRUNE_LATE_S
        self._content_is_pruned = False

    def step(self, *, written: object, idle: bool) -> bool:
        """Do a piece of what is due, unless we only read; whether there is more that need not wait.

        Args:
            written: When something was stored last, or another value that changes with that.
            idle: Whether nothing else is waiting.
        """
        now = self._clock()
        writer = self._pipeline.writer
        if self._retention is None or writer is None or now < self._not_before:
            return False
        try:
            if self._take_over(now):
                return True
            due = now - self._rolled_up_at >= ROLL_UP_S and written != self._rolled_up
            if due or (idle and self._more_to_roll_up):
                self._rolled_up_at, self._rolled_up = now, written
                self._more_to_roll_up = writer.roll_up()
                return idle and self._more_to_roll_up
            if now >= self._prune_at and (idle or now >= self._prune_late_at):
                self._prune(now)
        except StoreError as error:
            self._refused(str(error), now)
        except Exception:  # noqa: BLE001 - what can wait must not stop what cannot
            self._not_before = now + AGAIN_S
            swallowed("looking after the store")
        else:
            self._refusal = ""
        return False

    def due(self, *, written: object) -> float | None:
        """Seconds until there may be something to do although no call comes; ``None`` where there is not."""
        if self._retention is None or self._pipeline.writer is None:
            return None
        now = self._clock()
        moments = [] if self._is_for_ever or self._prune_at == math.inf else [self._prune_at]
        if written != self._rolled_up or self._more_to_roll_up:
            moments.append(self._rolled_up_at + ROLL_UP_S)
        return max(0.0, max(self._not_before, min(moments)) - now) if moments else None

    def look_again(self) -> None:
        """Look for what was left behind as soon as possible."""
        self._look_at = self._not_before = 0.0
        self._found = None  # a list that is older than what was left since

    def finish(self, within: float = LAST_LOOK_S) -> None:
        """A last look for what children of this program have left; so many seconds are spent on it."""
        until = self._clock() + within
        self.look_again()
        try:
            while self._retention is not None and self._clock() < until:
                if not self._take_over(self._clock()):
                    return
        except StoreError as error:
            self._refused(str(error), self._clock())
        except Exception:  # noqa: BLE001 - the program is ending, and there is more to close
            swallowed("looking after the store")

    def close(self) -> None:
        """Leave what is not finished to another process."""
        if self._taken_over is not None:
            self._taken_over.close()
        self._taken_over = self._found = None

    def _take_over(self, now: float) -> bool:
        """Store a batch of what another process has left behind; whether there was one."""
        if self._taken_over is None:
            if self._found is None:
                if now < self._look_at:
                    return False
                self._look_at = now + LOOK_S
                self._found = self._pipeline.spool.left_behind()
            self._taken_over = next(self._found, None)
            if self._taken_over is None:
                self._found = None
                return False
        file = self._taken_over
        record = file.first()
        if record is not None:
            batch = self._pipeline.read(record, own=False)
            self._pipeline.keep(batch, own=False)
            file.take()
            self._recovered += len(batch.calls)
            return True
        self._taken_over = None
        file.close()
        if file.is_damaged:
            logger.warning("miharu: a part of %s is damaged; what is left of it was set aside.", file.path)
        calls = "1 call" if self._recovered == 1 else f"{self._recovered} calls"
        logger.info("miharu: stored %s that another process had left.", calls)
        self._recovered = 0
        return True

    def _prune(self, now: float) -> None:
        writer, kept = self._pipeline.writer, self._retention or Retention()
        self._prune_at = now + PRUNE_STEP_S
        if (keep_for := getattr(writer, "keep_for", None)) is not None:
            keep_for(kept.calls_ms, kept.content_ms)
            self._prune_at = math.inf
            return
        for ms, content_only in ((kept.content_ms, True), (kept.calls_ms, False)):
            if ms is None or writer is None or (content_only and self._content_is_pruned):
                continue
            before = round(self._now() * 1000) - ms
            if writer.prune(before, content_only=content_only, limit=PRUNED_AT_ONCE):
                return
            self._content_is_pruned = True
        self._content_is_pruned = False
        self._prune_at = now + PRUNE_S
        self._prune_late_at = self._prune_at + PRUNE_LATE_S

    @property
    def _is_for_ever(self) -> bool:
        kept = self._retention or Retention()
        return kept.calls_ms is None and kept.content_ms is None

    def _refused(self, error: str, now: float) -> None:
        self.close()
        self._not_before = now + AGAIN_S
        if error != self._refusal:
            logger.warning("miharu: %s What can wait is put off; no call is lost.", error)
        self._refusal = error
