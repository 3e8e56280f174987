"""The monitor: it records the calls of one process, or reads one database.

It is made on the program's own thread, and imports little: what the recorder works with is made on the
recorder's thread (``recording.py``).
"""

import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import thread as _thread  # noqa: F401 - a loop may want it at exit, when it cannot load
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from miharu import _guard
from miharu.attribution import records
from miharu.config import MEMORY, Config, database_file, public_url
from miharu.errors import StoreError
from miharu.exchange import Exchange
from miharu.interceptor import Interceptor, handoff
from miharu.monitor.figures import Stats
from miharu.monitor.shared import Shared
from miharu.monitor.steps import FIRST, exporter_steps, steps
from miharu.providers.known_rules import KNOWN_RULES
from miharu.recorder.recorder import Recorder
from miharu.recorder.threads import imports
from miharu.recorder.threads.daemonic import is_daemonic
from miharu.recorder.threads.orders import Orders
from miharu.recorder.threads.prefork import is_prefork
from miharu.stores import store_for

if TYPE_CHECKING:
    from miharu.attribution.spans.span import OpenSpan
    from miharu.batch import Batch, Marker, Score
    from miharu.monitor.left_behind import LeftBehind
    from miharu.monitor.recording import Recording
    from miharu.plugins import Loadable
    from miharu.providers.base import Rule
    from miharu.recorder.alerts import AlertState, Watch
    from miharu.recorder.budgets import Ledger
    from miharu.recorder.run import Run
    from miharu.recorder.threads.loop import LoopThread
    from miharu.stores.base import Questions

__all__ = ("Monitor",)

logger = logging.getLogger("miharu")

FORK_WAITS_S = 0.5
EXIT_S = 5.0
"""How long the recorder may hold up the end of a program."""
LOOPS_END_S = 0.5
"""How long a stop waits for the loops at least."""

T = TypeVar("T")
P = ParamSpec("P")

_parents: list[object] = []


class Monitor:
    """Records the calls of this process, or with ``read_only=True`` only reads what others have recorded.

    With ``watching=False`` it records what others send, and no call of this process.
    """

    def __init__(self, config: Config, *, read_only: bool = False, watching: bool = True) -> None:
        """Prepare; nothing happens before ``start``.

        Raises:
            ConfigError: There is no store for the database's URL, or no exporter of a name.
        """
        self.config = config
        self.read_only = read_only
        self._watching = watching
        self._store_point = store_for(config.database)
        self._exporter_points = _exporter_points(config) if config.exporter_names else ()
        _remember_secrets(config)
        self._interceptor: Interceptor | None = None
        self._outgoing: LoopThread | None = None
        self._ledger = self._new_ledger() if config.budgets else None
        self._watch_alerts = self._new_watch() if config.alerts and not read_only else None
        self._recording: Recording | None = None
        self._renew()

    @property
    def database_name(self) -> str:
        """The database as shown to people, without user and password."""
        return public_url(self.config.database)

    def start(self, *, recording: bool = True) -> None:
        """Start to watch and record, unless ``read_only``. Returns at once.

        With ``recording=False`` the recorder starts with the first call: until then nothing is opened. So it
        does in a process whose workers are forked without regard to its threads.
        """
        if self.read_only:
            return
        _import_clients(self.config)
        if self._watching:
            self._watch()
        if recording and not is_prefork():
            self.record()

    def record(self) -> None:
        """Start the recorder, unless it runs."""
        self._recorder.start()

    def _watch(self) -> None:
        refuses = any(budget.refuse for budget in self.config.budgets)
        self._interceptor = Interceptor(
            self._sink,
            [
                *(rule for rules in KNOWN_RULES.values() for rule in rules),
                *(rule for provider in self.config.providers for rule in provider.rules),
            ],
            settle=self.flush,
            admit=self._admit if refuses else None,
            ignores=self.config.ignore.addresses(),
        )
        self._interceptor.install()
        records.hand_to(self._take_record, content=self.config.capture_content)

    def stop(self, timeout: float = 5.0, *, replaced: bool = False) -> bool:
        """Stop watching and store what there is; whether that was done in time (seconds).

        Where another monitor has replaced this one, what waits in a file is nobody's concern.
        """
        if self._interceptor is not None:
            self._interceptor.uninstall()
            records.withdraw(self._take_record)
        shared, until = self._shared, time.monotonic() + timeout
        ended = self._recorder.stop(timeout)
        if self._recording is not None:
            self._recording.close()
        if len(shared.queue):
            self._recorder.spool_remaining(self._spool_unread)
        stored = ended and shared.is_empty
        if not shared.is_empty and not (replaced and not len(shared.queue)):
            path = shared.spool.path if shared.spool is not None else None
            kept = f"{shared.waiting} wait for the next start in {path}"
            logger.warning(
                "miharu: the program ends before %s has taken all calls; %s, %d are lost.",
                self.database_name,
                kept if path else "none could be kept elsewhere",
                len(shared.queue),
            )
        if shared.spool is not None:
            shared.spool.close()
        if shared.exports is not None:
            shared.exports.close(until - time.monotonic())
        for telling in (self._ledger, self._watch_alerts):
            if telling is not None:
                telling.close()
        shared.stop_queries(max(LOOPS_END_S, until - time.monotonic()))
        if self._outgoing is not None:
            self._outgoing.stop(max(LOOPS_END_S, until - time.monotonic()))
        return stored

    def _spool_unread(self) -> None:
        from miharu.recorder.spool import spool_unread

        spool_unread(self._shared.queue, self._shared.own_spool())

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
        shared, until = self._shared, time.monotonic() + timeout
        if self.read_only and self._ledger is not None:
            shared.queries.ask(partial(self._ledger.arefresh, at_once=True), bool)
        stored = self._recorder.flush(timeout) or (not self._recorder.running and shared.is_empty)
        passed_on = shared.exports is None or shared.exports.flush(until - time.monotonic())
        return stored and passed_on

    @property
    def questions(self) -> "Questions":
        """What answers; for functions that ``read`` awaits.

        Raises:
            StoreError: It is not open, or cannot be used.
        """
        return self._shared.queries.questions

    async def read(self, function: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Await the function on the questions' loop, once the store is open, from any loop.

        Raises:
            StoreError: The store cannot be used at the moment.
        """
        return await self._shared.queries.read(function, *args, **kwargs)

    def read_sync(self, function: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Like ``read``, for code without a loop."""
        return self._shared.queries.read_sync(lambda: function(*args, **kwargs))

    @property
    def left_behind(self) -> "LeftBehind":
        """What processes that are gone have left beside the database."""
        return self._shared.left_behind

    async def _look_for_left_behind(self) -> None:
        """A read looks for what other processes left when they died, since an idle recorder sleeps."""
        if not self.left_behind.is_due():
            return
        if self.read_only:
            import anyio

            await anyio.to_thread.run_sync(self.left_behind.bring_in)
        else:
            self._recorder.ring()

    def take_in(self, batch: "Batch", timeout: float) -> None:
        """Store a batch that another program has sent, and wait for that (seconds); for a thread.

        Raises:
            StoreError: It is not stored, or it is not known whether it is.
        """
        if self.read_only:
            raise StoreError("This miharu only reads the calls of others.")
        self._recorder.take_in(batch, timeout)

    def running(self) -> list[Exchange] | None:
        """The calls on their way right now; ``None`` where this process makes none."""
        if self._interceptor is None:
            return None
        by_route = self.config.ignore.routes()
        return [one for one in handoff.running() if by_route is None or not by_route(_route_of(one))]

    def stats(self) -> Stats:
        """The figures of this process."""
        shared, counters, queue, ledger = (
            self._shared,
            self._shared.counters,
            self._shared.queue,
            self._ledger,
        )
        return Stats(
            captured=counters.captured + queue.dropped,
            written=counters.written,
            dropped=shared.lost(),
            not_exported=shared.exports.lost if shared.exports is not None else 0,
            shed=queue.shed + counters.shed,
            spooled=shared.waiting,
            unpriced=counters.unpriced,
            estimated=counters.estimated,
            errors=counters.failures + counters.failed_exports + _guard.failures(),
            queue_depth=len(queue),
            last_write=counters.last_write,
            database=self.database_name,
            refused=ledger.refusals.count if ledger is not None else 0,
            budgets=list(ledger.states) if ledger is not None else [],
        )

    @property
    def alerts(self) -> "Sequence[AlertState]":
        """How the alerts of this process stand."""
        return self._watch_alerts.states if self._watch_alerts is not None else ()

    def check_budget(
        self, user: str | None = None, route: str | None = None, tags: Mapping[str, str] | None = None
    ) -> None:
        """Return, unless calls from here, or of those that are given, are refused.

        Raises:
            BudgetExceeded: They are.
        """
        if self._ledger is None:
            return
        from miharu.recorder.budgets.caller import caller_with

        self._ledger.refusals.check(partial(caller_with, self.config.service, user, route, tags))

    def _admit(self) -> None:
        from miharu.recorder.budgets.caller import current_caller

        if not self._recorder.running:  # in a child that was forked; it alone learns what others spend
            self._recorder.start()
        if self._ledger is not None:
            self._ledger.refusals.admit(partial(current_caller, self.config.service))

    def _sink(self, exchange: Exchange) -> None:
        queue, recorder = self._shared.queue, self._recorder
        if is_daemonic():
            self._sink_at_once(exchange)
            return
        queue.put(exchange)
        if recorder.orders.asleep:
            recorder.ring()
        elif queue.is_high:
            recorder.hurry()

    def _sink_at_once(self, exchange: Exchange) -> None:
        """Spool a call on its own thread, in a process that may be terminated before another thread runs."""
        safe = False
        try:
            from miharu.recorder.spool import spool_at_once

            safe = spool_at_once(exchange, self._shared.own_spool())
        finally:
            if not safe:
                self._shared.queue.put(exchange)
            self._recorder.hurry()

    def _take_record(self, record: "OpenSpan | Score | Marker") -> None:
        self._shared.queue.put_record(record)
        if self._recorder.orders.asleep:
            self._recorder.ring()

    def _renew(self) -> None:
        """Make a new queue, recorder and figures, for this process alone."""
        self._shared = Shared(
            self.config,
            self._store_point,
            self._ledger,
            self._watch_alerts,
            first=self._look_for_left_behind,
            read_only=self.read_only,
        )
        self._recording = None
        self._recorder = self._new_recorder()

    def _new_recorder(self) -> Recorder:
        return Recorder(self._make_run, at_exit=self._at_exit, unseen=handoff.unseen)

    def _make_run(self, orders: Orders) -> "Run | None":
        """On the recorder's thread; ``None`` where it is to end, and has nothing to record yet."""
        if self._recording is None:
            if not self._has_imported(FIRST, orders):
                return None
            from miharu.recorder.spool import UnreadSpooling

            refuses = any(budget.refuse for budget in self.config.budgets)  # what is not read has no price
            spooling = bool if refuses else UnreadSpooling(self._shared.queue, self._shared.own_spool())
            if not self._has_imported(steps(self.config.database), orders, spooling):
                return None
            with suppress(Exception):  # it is said by name where the exporter is made
                self._has_imported(exporter_steps(self.config.exporter_names), orders, spooling)
        with imports.importing():
            if self._recording is None:
                from miharu.monitor.recording import Recording

                self._recording = Recording(
                    self._shared, self._loop_for_what_leaves(), self._widen, self._exporter_points
                )
            return self._recording.run(orders)

    def _has_imported(
        self, names: "Iterable[str]", orders: Orders, meanwhile: "Callable[[], object]" = bool
    ) -> bool:
        """Import these modules; ``False`` where the recorder was told to end meanwhile."""
        for step in names:
            if orders.stopping and (self._shared.is_empty or not orders.for_good):
                return False
            meanwhile()
            imports.import_step(step)
        return True

    def _widen(self, rules: "Iterable[Rule]") -> None:
        """Let the gate pass requests of more formats than the built-in ones."""
        if self._interceptor is not None:
            self._interceptor.gate.widen(rules)

    def _loop_for_what_leaves(self) -> "LoopThread":
        """The loop that exporters and webhooks run on."""
        if self._outgoing is None:
            from miharu.recorder.threads.loop import LoopThread

            self._outgoing = LoopThread("miharu-outgoing", handoff.unseen)
        return self._outgoing

    def _new_ledger(self) -> "Ledger":
        from miharu.recorder.budgets import Alarms, Ledger, Webhook

        if self.read_only:
            return Ledger(self.config.budgets)
        return Ledger(self.config.budgets, Alarms(Webhook(self._loop_for_what_leaves())))

    def _new_watch(self) -> "Watch":
        from miharu.recorder.alerts import Telling, Watch
        from miharu.recorder.budgets import Webhook

        return Watch(self.config.alerts, self._leave_marker, Telling(Webhook(self._loop_for_what_leaves())))

    def _leave_marker(self, marker: "Marker") -> None:
        """On the recorder's thread, which stores it with its next batch."""
        self._shared.queue.put_record(marker)

    def before_fork(self) -> None:
        """Close the store and end the threads: the child inherits no open database and no held lock.

        What is in memory alone would be gone; and a store that is slow holds nothing up.
        """
        parks = self.config.database != MEMORY
        if parks:
            self._recorder.begin_nothing()
        imports.hold_still()
        if parks:
            self._recorder.park(FORK_WAITS_S)
            self._shared.stop_queries(FORK_WAITS_S, for_good=False)

    def after_fork_in_parent(self) -> None:
        """Go on recording after the fork."""
        imports.let_go()
        if self.read_only:
            return
        if self._recorder.running:
            self._recorder.go_on()
        else:
            had_started = self._recorder.has_started
            self._recorder = self._new_recorder()
            if had_started or len(self._shared.queue):
                self.record()

    def after_fork_in_child(self) -> None:
        """Start a new recorder with the first call or page."""
        imports.let_go()
        # what could not be closed before the fork is the parent's: let go of here, it would close it there
        _parents.append((self._recorder, self._recording, self._shared))
        if self._shared.spool is not None:
            self._shared.spool.disown()
        if self._outgoing is not None:
            self._outgoing.after_fork_in_child()
        for telling in (self._ledger, self._watch_alerts):
            if telling is not None:
                telling.after_fork()
        handoff.forget_all()
        self._renew()


def _route_of(exchange: Exchange) -> str:
    from miharu.attribution.resolve import attribution_of_exchange

    return attribution_of_exchange(exchange).route or ""


def _import_clients(config: Config) -> None:
    """Import what miharu's own requests are made with, here and not on a thread of ours meanwhile.

    SDKs look for these in ``sys.modules`` with each request, and would find half of them.
    """
    if config.update_prices:
        import_module("httpx2")
    if any(_hooks(config)):
        import_module("httpx")


def _exporter_points(config: Config) -> "tuple[Loadable, ...]":
    from miharu.exporters import points_for

    return points_for(config.exporter_names, config.exporters_setting)


def _remember_secrets(config: Config) -> None:
    """Register the secrets in the settings, so that they are redacted everywhere."""
    if database_file(config.database) is not None and not config.budgets and not config.alerts:
        return
    from miharu.redaction import values
    from miharu.redaction.urls import secrets_in, secrets_of_hook

    values.keep(secrets_in(config.database))
    for hook in _hooks(config):
        values.keep(part for part in secrets_of_hook(hook) if len(part) >= values.SHORT)


def _hooks(config: Config) -> list[str]:
    """The webhooks of budgets and alerts."""
    hooks = [budget.webhook for budget in config.budgets] + [alert.webhook for alert in config.alerts]
    return [hook for hook in hooks if hook]
