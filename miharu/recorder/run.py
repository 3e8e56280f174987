"""One run of the recorder: open the store, then window after window until it is told to stop."""

import logging
import time
from collections.abc import Callable

from miharu._guard import swallowed
from miharu.errors import StoreError
from miharu.recorder.counters import Losses
from miharu.recorder.maintenance import Maintenance, Retention
from miharu.recorder.pipeline import Pipeline
from miharu.recorder.threads.imports import importing
from miharu.recorder.threads.orders import Orders
from miharu.stores.base import Writer

__all__ = ("Run",)

logger = logging.getLogger("miharu")

Meanwhile = Callable[[], object]

WINDOW_S = 0.05
"""How long a call waits for others to come along: a transaction of thirty costs little more than one."""
STEP_S = 0.005
"""Seconds between two steps of maintenance."""
WATCH_S = 0.25
"""Seconds between two looks at waiting calls while the store refuses."""
BACK_OFF_S = (0.1, 30.0)
"""The first and the longest wait after the store has refused."""


class Run:
    """One run, on the recorder's thread."""

    def __init__(
        self,
        orders: Orders,
        pipeline: Callable[[Meanwhile], Pipeline],
        writer: Callable[[Meanwhile], Writer],
        *,
        losses: Callable[[], int] = int,
        last_write: Callable[[], object] = lambda: None,
        refresh_budgets: Callable[[bool, Meanwhile], object] = lambda _, __: None,
        budgets_due: Callable[[], float | None] = lambda: None,
        retention: Retention | None = None,
        eager: bool = False,
    ) -> None:
        """Prepare; the pipeline and the writer are told what to do while they wait.

        Args:
            orders: What others want.
            pipeline: What becomes of calls.
            writer: Makes the store's, which is not open yet.
            losses: How many calls were lost so far.
            last_write: Changes with each write.
            refresh_budgets: Sees how the budgets stand, now that all of this process's own is stored: at
                once, or if it is time.
            budgets_due: Seconds until it is; ``None`` where there are no budgets.
            retention: How long calls are kept.
            eager: Load the prices before there are calls: budgets that refuse must not wait for them.
        """
        self.refusal: StoreError | None = None
        with importing():
            self.pipeline = pipeline(self._meanwhile)
        self._orders = orders
        self._make_writer = writer
        self._count_losses = losses
        self._last_write = last_write
        self._refresh_budgets = refresh_budgets
        self._budgets_due = budgets_due
        self._eager = eager
        self._maintenance = Maintenance(self.pipeline, retention or Retention())
        self._losses = Losses()
        self._retry_at = 0.0
        self._delay = BACK_OFF_S[0]
        self._drained_at = 0.0

    def __call__(self) -> None:
        """Work until it is told to stop."""
        orders, hurried = self._orders, False
        orders.asleep = False
        try:
            while True:
                stopping = orders.stopping  # read first: what was left before a stop is drained below
                if stopping and self.pipeline.writer is None and self._is_empty:
                    return  # a short program that made no call does not wait for the store
                more = self._turn(stopping=stopping, hurried=hurried)
                if stopping:
                    if orders.for_good and self.pipeline.writer is not None and self.refusal is None:
                        self._maintenance.finish()
                    return
                hurried = orders.haste.wait(STEP_S) if more else self._sleep()
        finally:
            orders.asleep = False
            if orders.stopping:
                self._refuse(StoreError("This miharu is ending. Send it again."))
            self._maintenance.close()
            self.pipeline.close()
            self._losses.end()

    @property
    def _is_idle(self) -> bool:
        """Whether nothing waits, but in the spool of a store that refuses."""
        stored = self.pipeline.is_in_spool if self.refusal is not None else self.pipeline.is_empty
        return stored and not self._orders.take_ins

    @property
    def _is_empty(self) -> bool:
        return self.pipeline.is_empty and not self._orders.take_ins

    def _sleep(self) -> bool:
        """Sleep until there is something to do; whether that must not wait."""
        orders = self._orders
        if self.refusal is not None and not self.pipeline.is_in_spool:
            return orders.haste.wait(min(WATCH_S, max(0.0, self._retry_at - time.monotonic())))
        orders.asleep = True  # a call that is left from here on rings
        if self._is_idle:
            orders.calls.wait(self._due())
        orders.asleep = False
        return orders.haste.wait(0.0 if self._is_idle else WINDOW_S)

    def _due(self) -> float | None:
        """Seconds until there is something to do although no call comes."""
        now = time.monotonic()
        if self.refusal is not None:
            return max(0.0, self._retry_at - now)
        moments = (
            self._maintenance.due(written=self._last_write()),
            self._budgets_due(),
            self._losses.due(now),
        )
        return min((moment for moment in moments if moment is not None), default=None)

    def _turn(self, *, stopping: bool, hurried: bool) -> bool:
        """Store what there is to store; whether there is more to do that need not wait."""
        now, at_once = time.monotonic(), stopping or hurried
        if self.refusal is not None and now < self._retry_at and not at_once:
            self._refuse(self.refusal)
            self._meanwhile()
            return False
        if at_once or now - self._drained_at >= WINDOW_S:
            flushes = [self._orders.flushes.popleft() for _ in range(len(self._orders.flushes))]
            try:
                self._store()
                self._take_in()
            except StoreError as error:
                self._orders.flushes.extendleft(reversed(flushes))
                self._refuse(error)
                if stopping:
                    self.pipeline.spool_all()
                self._refused(error)
                self._meanwhile()
                return False
            self._drained_at = time.monotonic()
            self._refresh_budgets(bool(flushes), self._meanwhile)
            for flush in flushes:
                flush.done.set()
        self._losses.look(self._count_losses(), now)
        if stopping:
            return False
        return self._maintenance.step(written=self._last_write(), idle=self.pipeline.is_empty)

    def _store(self) -> None:
        if self._eager and not self._orders.stopping:
            self.pipeline.pricer.need()  # what a call costs does not depend on whether it can be stored
        if self.pipeline.writer is None:
            with importing():
                writer = self._make_writer(self._meanwhile)
            self.pipeline.open(writer)
        self.pipeline.drain()
        self._delay = BACK_OFF_S[0]
        if self.refusal is not None:
            logger.warning("miharu: recording again.")
            self.refusal = None
            self._maintenance.look_again()

    def _take_in(self) -> None:
        """Store what other programs have sent. Until then it is theirs, so nothing of it is spooled."""
        waiting = self._orders.take_ins
        while waiting:
            self.pipeline.keep(waiting[0].batch, own=False)
            waiting.popleft().done.set()

    def _refuse(self, error: StoreError) -> None:
        """Leave what other programs have sent to them."""
        waiting = self._orders.take_ins
        while waiting:
            waiting.popleft().refuse(error)

    def _meanwhile(self) -> None:
        """While something else takes its time: what waits goes to the spool, and losses are said."""
        now = time.monotonic()
        try:
            self.pipeline.spool_overdue(now)
        except Exception:  # noqa: BLE001 - what takes its time must come to its end
            swallowed("spooling")
        self._losses.look(self._count_losses(), now)

    def _refused(self, error: StoreError) -> None:
        if str(error) != str(self.refusal):
            logger.warning(
                "miharu: %s Calls are kept until it takes them; your program is not affected.", error
            )
        self.refusal = error
        self._retry_at = time.monotonic() + self._delay
        self._delay = min(self._delay * 2, BACK_OFF_S[1])
