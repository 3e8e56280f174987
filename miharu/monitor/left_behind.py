"""What processes that are gone have left beside the database, for those who look at it.

A program that records takes it over by itself. Where none does, a reader that may write to the database
brings it in; one that may not is told how many calls wait.
"""

import time

from miharu._guard import swallowed
from miharu.config import Config
from miharu.errors import StoreError
from miharu.interceptor import handoff
from miharu.recorder.costing.pricer import Pricer
from miharu.recorder.costing.prices_loader import PricesLoader
from miharu.recorder.counters import Counters
from miharu.recorder.maintenance import Maintenance, Retention
from miharu.recorder.pipeline import Pipeline
from miharu.recorder.queue import ExchangeQueue
from miharu.recorder.spool import Spool, calls_in, place_for, spools_at
from miharu.recorder.threads.loop import LoopThread

__all__ = ("LeftBehind",)

AGAIN_S = 10.0
"""Seconds between two looks for spools."""
WITHIN_S = 5.0
"""How long one look may take; the rest is left for the next."""


class LeftBehind:
    """The spools of one database that no process of its own takes over."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self.place = place_for(config.database)
        self._look_at = 0.0

    def is_due(self) -> bool:
        """Whether it is time to look; a ``True`` starts the wait for the next time."""
        now = time.monotonic()
        if self.place is None or now < self._look_at:
            return False
        self._look_at = now + AGAIN_S
        return True

    def bring_in(self, within: float = WITHIN_S) -> None:
        """Store what is there, as far as this user may write; so many seconds are spent on it."""
        spool = Spool(self.place)
        if not spool.is_any_left_behind():
            return
        try:
            _store(self._config, spool, within)
        except StoreError:
            return  # they are counted, and wait for a program that records
        except Exception:  # noqa: BLE001 - the pages and figures that are there can be shown
            swallowed("storing what was left behind")

    def waiting(self) -> int:
        """How many calls wait beside the database, of processes that are gone and of those that run."""
        return sum(map(calls_in, spools_at(self.place))) if self.place else 0


def _store(config: Config, spool: Spool, within: float) -> None:
    from miharu.monitor.prices import prices_of
    from miharu.monitor.reading import reader_of
    from miharu.monitor.store import OneStore
    from miharu.stores import store_for

    loop = LoopThread("miharu-left-behind", handoff.unseen)
    pricer = Pricer(PricesLoader(lambda: prices_of(config), bool))
    pipeline = Pipeline(ExchangeQueue(), spool, Counters(), reader_of(config), pricer=pricer)
    maintenance = Maintenance(pipeline, Retention())
    try:
        pipeline.open(OneStore(config, store_for(config.database), read_only=False).writer(loop, bool))
        maintenance.finish(within)
    finally:
        maintenance.close()
        pipeline.close()
        loop.stop(WITHIN_S)
