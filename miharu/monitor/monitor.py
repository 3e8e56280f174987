"""One process that is watched, or one database that is looked at, and what that needs."""

import logging
import re
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

from miharu import _guard, plugins
from miharu import providers as wire_formats
from miharu.attribution import records
from miharu.attribution.belonging import belonging
from miharu.attribution.spans import OpenSpan
from miharu.batch import Score
from miharu.config import MEMORY, NOTHING_IGNORED, Config, database_file, public_url
from miharu.exchange import Exchange
from miharu.interceptor import Interceptor, handing
from miharu.monitor.figures import Stats
from miharu.monitor.outlet import outlet_for
from miharu.pricing.updates import Updates
from miharu.recorder.budgets import Alarms, Ledger, Webhook, Whose, here
from miharu.recorder.chores import Retention
from miharu.recorder.daemonic import is_daemonic
from miharu.recorder.pipeline import Pipeline
from miharu.recorder.queue import ExchangeQueue
from miharu.recorder.reader import Reader
from miharu.recorder.shift import Equipment
from miharu.recorder.spool import Spool, place_for
from miharu.recorder.tally import Tally
from miharu.recorder.worker import Worker
from miharu.redaction import values
from miharu.redaction.urls import secrets_in
from miharu.stores import store_for
from miharu.stores.base import Store

__all__ = ("Monitor",)

logger = logging.getLogger("miharu")

FORK_WAITS_S = 0.5
EXIT_S = 5.0
"""How long the end of a program may be held up."""

T = TypeVar("T")
P = ParamSpec("P")

_parents: list[Worker] = []


def _route_of(exchange: Exchange) -> str:
    return belonging(exchange.context, exchange.said, exchange.traced, exchange.started).route or ""


def _secrets_of(webhook: str) -> Iterator[str]:
    """What of its address is a secret: each part behind the host that is no word."""
    for part in re.split(r"[/?&=]", webhook.partition("://")[2])[1:]:
        if len(part) >= values.SHORT and not part.isalpha():
            yield part


class Monitor:
    """Watches one process, or with ``read_only=True`` only looks at what others have recorded."""

    def __init__(self, config: Config, *, read_only: bool = False) -> None:
        """Prepare; nothing happens before ``start``.

        Raises:
            ConfigError: There is no store for the database's URL.
        """
        self.config = config
        self.read_only = read_only
        self._store_point = store_for(config.database)
        values.keep(secrets_in(config.database))
        for budget in config.budgets:
            values.keep(_secrets_of(budget.webhook or ""))
        self._interceptor: Interceptor | None = None
        alarms = None if read_only else Alarms(Webhook(handing.unseen))
        self._ledger = Ledger(config.budgets, alarms)
        self._updates = Updates(handing.unseen)
        self._renew()

    @property
    def database_path(self) -> Path | None:
        """The file; ``None`` for memory or a server."""
        return database_file(self.config.database)

    @property
    def database_name(self) -> str:
        """For people: without user and password."""
        return public_url(self.config.database)

    def start(self) -> None:
        """Start the worker, and watch unless reading only. Returns at once."""
        if not self.read_only:
            formats = [provider() for _, provider in plugins.load(wire_formats.BUILT_IN)]
            self._formats = [*self.config.providers, *formats]
            rules = [rule for provider in self._formats for rule in provider.rules]
            refuses = any(budget.refuse for budget in self.config.budgets)
            self._interceptor = Interceptor(
                self._sink,
                rules,
                settle=self.flush,
                admit=self._admit if refuses else None,
                ignores=self.config.ignore.addresses(),
            )
            self._interceptor.install()
            records.hand_to(self._take_record)
        self._worker.start()

    def stop(self, timeout: float = 5.0) -> bool:
        """Stop watching and store what there is; whether that was done in time (seconds)."""
        if self._interceptor is not None:
            self._interceptor.uninstall()
            records.withdraw(self._take_record)
        self._updates.stop()
        ended = self._worker.stop(timeout)
        if len(self._queue):
            self._worker.salvage()
        stored = ended and self._is_empty
        if not self._is_empty:
            kept = f"{self._spool.waiting} wait for the next start in {self._spool.path}"
            logger.warning(
                "miharu: the program ends before %s has taken all calls; %s, %d are lost.",
                self.database_name,
                kept if self._spool.path else "none could be kept elsewhere",
                len(self._queue),
            )
        self._spool.close()
        return stored

    def _at_exit(self) -> None:
        until = time.monotonic() + EXIT_S
        for _ in range(100):
            try:
                self.stop(max(0.0, until - time.monotonic()))
            except KeyboardInterrupt:
                until = 0.0
            except SystemExit:  # a handler of signals, which gunicorn sends ten times a second
                continue
            else:
                return

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until every call so far is stored; whether that was done in time (seconds)."""
        return self._worker.flush(timeout) or (not self._worker.running and self._is_empty)

    @property
    def store(self) -> Store:
        """The open store; for functions that ``read`` awaits.

        Raises:
            StoreError: It is not open, or cannot be used.
        """
        return self._worker.store

    async def read(self, function: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Await the function on the worker's loop, once the store is open, from any loop of asyncio or trio.

        Raises:
            StoreError: The store cannot be used at the moment.
        """
        return await self._worker.read(function, *args, **kwargs)

    def read_sync(self, function: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Like ``read``, for code without a loop."""
        return self._worker.read_sync(function, *args, **kwargs)

    def running(self) -> list[Exchange] | None:
        """The calls on their way right now; ``None`` where this process makes none."""
        if self._interceptor is None:
            return None
        by_route = self.config.ignore.routes()
        return [one for one in handing.running() if by_route is None or not by_route(_route_of(one))]

    def stats(self) -> Stats:
        """The figures of this process."""
        tally, queue, spool = self._tally, self._queue, self._spool
        return Stats(
            captured=tally.captured + queue.dropped,
            written=tally.written,
            dropped=self._lost(),
            shed=queue.shed + tally.shed,
            spooled=spool.waiting,
            unpriced=tally.unpriced,
            estimated=tally.estimated,
            errors=tally.failures + _guard.failures(),
            queue_depth=len(queue),
            last_write=tally.last_write,
            database=self.database_name,
            refused=self._ledger.refusals.count,
            budgets=list(self._ledger.states),
        )

    def check_budget(
        self, user: str | None = None, route: str | None = None, tags: Mapping[str, str] | None = None
    ) -> None:
        """Return, unless calls from here, or of those that are given, are refused.

        Raises:
            BudgetExceeded: They are.
        """
        if not self.config.budgets:
            return

        def whose() -> Whose:
            found = here(self.config.service)
            return replace(
                found,
                user_id=user or found.user_id,
                route=route or found.route,
                tags={**(found.tags or {}), **(tags or {})},
            )

        self._ledger.refusals.check(whose)

    def _admit(self) -> None:
        if not self._worker.running:  # in a child that was forked; it alone learns what others spend
            self._worker.start()
        self._ledger.refusals.admit(partial(here, self.config.service))

    def _sink(self, exchange: Exchange) -> None:
        self._queue.put(exchange)
        if not self._worker.running:
            self._worker.start()
        if is_daemonic():
            self._worker.wake()

    def _take_record(self, record: OpenSpan | Score) -> None:
        self._queue.put_record(record)
        if not self._worker.running:
            self._worker.start()

    @property
    def _is_empty(self) -> bool:
        return len(self._queue) == 0 and self._spool.waiting == 0

    def _lost(self) -> int:
        queue, tally = self._queue, self._tally
        return (
            queue.dropped
            + queue.dropped_records
            + queue.shed
            + tally.shed
            + tally.unstorable
            + self._spool.lost
        )

    def _renew(self) -> None:
        """A queue, a worker and figures of this process's own."""
        self._queue = ExchangeQueue()
        self._tally = Tally()
        self._spool = Spool(None if self.read_only else place_for(self.config.database))
        self._worker = self._new_worker()

    def _new_worker(self) -> Worker:
        config = self.config
        retention = Retention(calls_ms=config.retention_ms, content_ms=config.content_retention_ms)
        return Worker(
            Equipment(
                pipeline=self._make_pipeline,
                outlet=partial(
                    outlet_for,
                    config,
                    self._store_point,
                    read_only=self.read_only,
                    updates=self._updates if config.update_prices else None,
                ),
                losses=self._lost,
                last_write=lambda: self._tally.last_write,
                ledger=self._ledger,
                retention=None if self.read_only else retention,
            ),
            at_exit=self._at_exit,
        )

    def _make_pipeline(self) -> Pipeline:
        if self.read_only:
            return Pipeline(self._queue, self._spool, self._tally)
        third_party = plugins.load(plugins.installed("miharu.providers"))
        extra = [provider() for _, provider in third_party]
        if self._interceptor is not None:
            self._interceptor.gate.widen(rule for provider in extra for rule in provider.rules)
        reader = Reader(
            [*self._formats, *extra],
            service=self.config.service,
            capture_content=self.config.capture_content,
            estimate_usage=self.config.estimate_usage,
            redact=self.config.redact,
            ignore=self.config.ignore.call if self.config.ignore != NOTHING_IGNORED else None,
        )
        return Pipeline(self._queue, self._spool, self._tally, reader, self._ledger.charge)

    def before_fork(self) -> None:
        """Close the store and end the thread: the child inherits no open database and no held lock.

        What is in memory alone would be gone; and a store that is slow holds nobody up.
        """
        if self.config.database != MEMORY:
            self._worker.park(FORK_WAITS_S)

    def after_fork_in_parent(self) -> None:
        """Go on with what waits."""
        if self._worker.running:
            self._worker.go_on()
        else:
            self._worker = self._new_worker()
            self._worker.start()

    def after_fork_in_child(self) -> None:
        """Begin anew, with the first call or page."""
        # what could not be closed before the fork is the parent's: let go of here, it would close it there
        _parents.append(self._worker)
        self._spool.disown()
        self._ledger.after_fork()
        handing.forget_all()
        self._updates = Updates(handing.unseen)
        self._renew()
