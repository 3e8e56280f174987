"""One process that is watched, or one database that is looked at, and what that needs."""

import logging
import re
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
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
from miharu.config import MEMORY, Config, database_file, public_url
from miharu.errors import StoreError
from miharu.exchange import Exchange
from miharu.interceptor import Interceptor, handing
from miharu.monitor.asking import Asking
from miharu.monitor.figures import Stats
from miharu.monitor.left_behind import LeftBehind
from miharu.monitor.making import exporters_of, prices_of, reader_of
from miharu.monitor.store import OneStore
from miharu.pricing.base import Prices
from miharu.pricing.updates import Updates
from miharu.recorder import imports
from miharu.recorder.budgets import Alarms, Ledger, Webhook, Whose, here
from miharu.recorder.counters import Counters
from miharu.recorder.daemonic import is_daemonic
from miharu.recorder.exports import Exports
from miharu.recorder.loop import LoopThread
from miharu.recorder.maintenance import Retention
from miharu.recorder.orders import Orders
from miharu.recorder.pipeline import Pipeline
from miharu.recorder.prices_loader import PricesLoader
from miharu.recorder.queue import ExchangeQueue
from miharu.recorder.recorder import Recorder
from miharu.recorder.run import Run
from miharu.recorder.spool import Spool, place_for
from miharu.redaction import values
from miharu.redaction.urls import secrets_in
from miharu.stores import store_for
from miharu.stores.base import Questions

__all__ = ("Monitor",)

logger = logging.getLogger("miharu")

FORK_WAITS_S = 0.5
EXIT_S = 5.0
"""How long the end of a program may be held up."""

T = TypeVar("T")
P = ParamSpec("P")

_parents: list[object] = []


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
        self._outgoing = LoopThread("miharu-outgoing", handing.unseen)
        """For what leaves this process: exporters and webhooks."""
        alarms = None if read_only else Alarms(Webhook(self._outgoing))
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
        """Watch, and start to record, unless reading only. Returns at once."""
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
            self._recorder.start()

    def stop(self, timeout: float = 5.0) -> bool:
        """Stop watching and store what there is; whether that was done in time (seconds)."""
        if self._interceptor is not None:
            self._interceptor.uninstall()
            records.withdraw(self._take_record)
        self._updates.stop()
        until = time.monotonic() + timeout
        ended = self._recorder.stop(timeout)
        if len(self._queue):
            self._recorder.spool_remaining()
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
        if self._exports is not None:
            self._exports.close(until - time.monotonic())
        self._ledger.close()
        self._asking.close(max(0.5, until - time.monotonic()))
        self._outgoing.stop(max(0.5, until - time.monotonic()))
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
        """Wait until every call so far is stored, and passed on; whether that was done in time (seconds)."""
        until = time.monotonic() + timeout
        if self.read_only and self.config.budgets:
            self._asking.ask(partial(self._ledger.arefresh, at_once=True), bool)
        stored = self._recorder.flush(timeout) or (not self._recorder.running and self._is_empty)
        passed_on = self._exports is None or self._exports.flush(until - time.monotonic())
        return stored and passed_on

    @property
    def questions(self) -> Questions:
        """What answers; for functions that ``read`` awaits.

        Raises:
            StoreError: It is not open, or cannot be used.
        """
        return self._asking.questions

    async def read(self, function: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Await the function on the questions' loop, once the store is open, from any loop.

        Raises:
            StoreError: The store cannot be used at the moment.
        """
        return await self._asking.read(function, *args, **kwargs)

    def read_sync(self, function: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Like ``read``, for code without a loop."""
        return self._asking.read_sync(lambda: function(*args, **kwargs))

    async def _look_for_left_behind(self) -> None:
        """What others have left when they died is looked for when somebody looks; an idle recorder sleeps."""
        if not self.left_behind.is_due():
            return
        if self.read_only:
            import anyio

            await anyio.to_thread.run_sync(self.left_behind.bring_in)
        else:
            self._recorder.ring()

    def running(self) -> list[Exchange] | None:
        """The calls on their way right now; ``None`` where this process makes none."""
        if self._interceptor is None:
            return None
        by_route = self.config.ignore.routes()
        return [one for one in handing.running() if by_route is None or not by_route(_route_of(one))]

    def stats(self) -> Stats:
        """The figures of this process."""
        counters, queue, spool = self._counters, self._queue, self._spool
        return Stats(
            captured=counters.captured + queue.dropped,
            written=counters.written,
            dropped=self._lost(),
            shed=queue.shed + counters.shed,
            spooled=spool.waiting,
            unpriced=counters.unpriced,
            estimated=counters.estimated,
            errors=counters.failures + counters.failed_exports + _guard.failures(),
            queue_depth=len(queue),
            last_write=counters.last_write,
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
        if not self._recorder.running:  # in a child that was forked; it alone learns what others spend
            self._recorder.start()
        self._ledger.refusals.admit(partial(here, self.config.service))

    def _sink(self, exchange: Exchange) -> None:
        self._queue.put(exchange)
        recorder = self._recorder
        if recorder.orders.asleep:
            recorder.ring()
        elif self._queue.is_high:
            recorder.hurry()
        if is_daemonic():
            recorder.hurry()

    def _take_record(self, record: OpenSpan | Score) -> None:
        self._queue.put_record(record)
        if self._recorder.orders.asleep:
            self._recorder.ring()

    @property
    def _is_empty(self) -> bool:
        return len(self._queue) == 0 and self._spool.waiting == 0

    def _lost(self) -> int:
        queue, counters = self._queue, self._counters
        return (
            queue.dropped
            + queue.dropped_records
            + queue.shed
            + counters.shed
            + counters.unstorable
            + self._spool.lost
        )

    def _renew(self) -> None:
        """A queue, a recorder and figures of this process's own."""
        self._queue = ExchangeQueue()
        self._counters = Counters()
        self._spool = Spool(None if self.read_only else place_for(self.config.database))
        self._exports: Exports | None = None
        self._store = OneStore(self.config, self._store_point, read_only=self.read_only)
        self._questions_loop = LoopThread("miharu-questions", handing.unseen)
        # in a process that only reads, no recorder keeps the budgets up to date
        before = self._ledger.arefresh if self.read_only and self.config.budgets else None
        self.left_behind = LeftBehind(self.config)
        self._asking = Asking(self._store, self._questions_loop, self._look_for_left_behind, before)
        self._recorder = self._new_recorder()

    def _new_recorder(self) -> Recorder:
        return Recorder(self._make_run, at_exit=self._at_exit, unseen=handing.unseen)

    def _make_run(self, orders: Orders) -> Run:
        config = self.config
        return Run(
            orders,
            self._make_pipeline,
            partial(self._store.writer, self._questions_loop),
            losses=self._lost,
            last_write=lambda: self._counters.last_write,
            reckon=self._reckon,
            reckon_due=self._ledger.due,
            retention=Retention(calls_ms=config.retention_ms, content_ms=config.content_retention_ms),
            eager=bool(config.budgets),
        )

    def _make_pipeline(self, meanwhile: Callable[[], object]) -> Pipeline:
        reader, more_rules = reader_of(self.config, self._formats)
        if self._interceptor is not None:
            self._interceptor.gate.widen(more_rules)
        if self._exports is None:
            self._exports = Exports(exporters_of(self.config), self._outgoing, self._counters)
        return Pipeline(
            self._queue,
            self._spool,
            self._counters,
            reader,
            prices=PricesLoader(self._prices, meanwhile),
            charge=self._ledger.charge,
            export=self._exports.put,
        )

    def _prices(self) -> Prices | None:
        return prices_of(self.config, self._updates if self.config.update_prices else None)

    def _reckon(self, at_once: bool, meanwhile: Callable[[], object]) -> None:  # noqa: FBT001 - the seam's
        if self.config.budgets:
            with suppress(StoreError):  # the recorder says what is wrong
                self._asking.open(meanwhile)
            self._ledger.refresh(lambda look: self._asking.ask(look, meanwhile), at_once=at_once)

    def before_fork(self) -> None:
        """Close the store and end the threads: the child inherits no open database and no held lock.

        What is in memory alone would be gone; and a store that is slow holds nothing up.
        """
        imports.hold_still()
        if self.config.database != MEMORY:
            self._recorder.park(FORK_WAITS_S)
            self._asking.close(FORK_WAITS_S, for_good=False)

    def after_fork_in_parent(self) -> None:
        """Go on with what waits."""
        imports.let_go()
        if self.read_only:
            return
        if self._recorder.running:
            self._recorder.go_on()
        else:
            self._recorder = self._new_recorder()
            self._recorder.start()

    def after_fork_in_child(self) -> None:
        """Begin anew, with the first call or page."""
        imports.let_go()
        # what could not be closed before the fork is the parent's: let go of here, it would close it there
        _parents.append((self._recorder, self._asking, self._questions_loop, self._store, self._exports))
        self._spool.disown()
        self._outgoing.after_fork_in_child()
        self._ledger.after_fork()
        handing.forget_all()
        self._updates = Updates(handing.unseen)
        self._renew()
