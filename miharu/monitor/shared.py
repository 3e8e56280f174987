"""What the program's threads, the recorder and the questions of one process share.

It is made on the program's own thread, so what takes long to import is made by what needs it first.
"""

import threading
from typing import TYPE_CHECKING

from miharu.config import Config
from miharu.interceptor import handoff
from miharu.plugins import Loadable
from miharu.recorder.counters import Counters
from miharu.recorder.queue import ExchangeQueue

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from miharu.monitor.left_behind import LeftBehind
    from miharu.monitor.queries import StoreQueries
    from miharu.monitor.store import OneStore
    from miharu.recorder.alerts import Watch
    from miharu.recorder.budgets import Ledger
    from miharu.recorder.exports import Exports
    from miharu.recorder.spool import Spool
    from miharu.recorder.threads.loop import LoopThread

__all__ = ("Shared",)


class Shared:
    """What the threads of one process share; a fork gets another."""

    def __init__(
        self,
        config: Config,
        point: Loadable,
        ledger: "Ledger | None" = None,
        watch: "Watch | None" = None,
        *,
        first: "Callable[[], Awaitable[None]]",
        read_only: bool,
    ) -> None:
        """Prepare; nothing is opened yet.

        Args:
            config: The settings.
            point: The store's.
            ledger: The budgets, if there are any.
            watch: The alerts, if there are any.
            first: Awaited before each question.
            read_only: Never make or change anything.
        """
        self.config = config
        self.read_only = read_only
        self.ledger = ledger
        self.watch = watch
        self.queue = ExchangeQueue()
        self.counters = Counters()
        self.spool: Spool | None = None
        """``None`` until one is needed (``own_spool``)."""
        self.exports: Exports | None = None
        """The recorder's as well."""
        self._point = point
        self._making = threading.RLock()
        self._store: OneStore | None = None
        self._loop: LoopThread | None = None
        self._queries: StoreQueries | None = None
        self._first = first
        self._left_behind: LeftBehind | None = None
        self._closed = False

    def own_spool(self) -> "Spool":
        """The spool, made on first use, by the recorder or at the end of the program."""
        with self._making:
            if self.spool is None:
                from miharu.recorder.spool import Spool, place_for

                self.spool = Spool(place_for(self.config.database))
            return self.spool

    @property
    def waiting(self) -> int:
        """Calls, spans and scores in the spool."""
        return self.spool.waiting if self.spool is not None else 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits for the store."""
        return len(self.queue) == 0 and self.waiting == 0

    def lost(self) -> int:
        """Calls, spans and scores that were lost, and calls of which the content was."""
        queue, counters = self.queue, self.counters
        unreadable = self.spool.lost if self.spool is not None else 0
        of_calls = queue.dropped + queue.shed + counters.shed + counters.unstorable
        return of_calls + queue.dropped_records + unreadable

    @property
    def store(self) -> "OneStore":
        with self._making:
            if self._store is None:
                from miharu.monitor.store import OneStore

                self._store = OneStore(self.config, self._point, read_only=self.read_only)
            return self._store

    @property
    def loop(self) -> "LoopThread":
        """The loop of the questions, and of the writer of a database server."""
        with self._making:
            if self._loop is None:
                from miharu.recorder.threads.loop import LoopThread

                self._loop = LoopThread("miharu-questions", handoff.unseen)
            return self._loop

    @property
    def queries(self) -> "StoreQueries":
        """What asks the store."""
        with self._making:
            if self._queries is None:
                from miharu.monitor.queries import StoreQueries

                # in a process that only reads, no recorder keeps the budgets up to date
                before = self.ledger.arefresh if self.ledger is not None and self.read_only else None
                self._queries = StoreQueries(self.store, self.loop, self._first, before)
                if self._closed:
                    self._queries.close(0)
            return self._queries

    @property
    def left_behind(self) -> "LeftBehind":
        """What processes that are gone have left beside the database."""
        with self._making:
            if self._left_behind is None:
                from miharu.monitor.left_behind import LeftBehind

                self._left_behind = LeftBehind(self.config)
            return self._left_behind

    def stop_queries(self, timeout: float, *, for_good: bool = True) -> None:
        """Let go of what answers, if there is anything; seconds."""
        with self._making:
            queries, loop, self._closed = self._queries, self._loop, for_good
        if queries is not None:
            queries.close(timeout, for_good=for_good)
        elif loop is not None:
            loop.stop(timeout, for_good=for_good)
