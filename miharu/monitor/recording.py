"""What a monitor records with; made on the recorder's thread, because importing it takes a while."""

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from typing import TypeVar

from miharu import plugins
from miharu.call import Call
from miharu.config import NOWHERE, Config
from miharu.errors import StoreError
from miharu.exporters.base import Exporter, UsesMessages
from miharu.interceptor import handoff
from miharu.monitor.prices import prices_of
from miharu.monitor.reading import reader_of
from miharu.monitor.shared import Shared
from miharu.pricing.base import Prices
from miharu.pricing.plans.kept_plans import KeptPlans
from miharu.pricing.updates import Updates
from miharu.providers.base import Rule
from miharu.providers.messages import Said
from miharu.recorder.costing.pricer import Pricer
from miharu.recorder.costing.prices_loader import PricesLoader
from miharu.recorder.exports import Exports
from miharu.recorder.maintenance import Retention
from miharu.recorder.pipeline import Pipeline
from miharu.recorder.run import Run
from miharu.recorder.spool import place_for
from miharu.recorder.threads.imports import importing
from miharu.recorder.threads.loop import LoopThread
from miharu.recorder.threads.orders import Orders
from miharu.stores.base import Questions, UsesTexts, Writer
from miharu.stores.words import Role, TextsOf

__all__ = ("Recording",)

logger = logging.getLogger("miharu")

T = TypeVar("T")
Meanwhile = Callable[[], object]


class Recording:
    """The parts that record in one process. They outlive the runs of its recorder."""

    def __init__(
        self,
        shared: Shared,
        outgoing: LoopThread,
        widen: Callable[[Iterable[Rule]], object],
        exporters: Sequence[plugins.Loadable] = (),
    ) -> None:
        """Prepare; nothing is opened yet.

        Args:
            shared: What it shares with the rest of the process.
            outgoing: The exporters' loop.
            widen: Told of the rules of wire formats that other packages bring.
            exporters: Those that are named.
        """
        self._shared = shared
        self._widen = widen
        self.updates = Updates(handoff.unseen)
        self._prices: Prices | None = None
        self._kept = _kept_plans(shared.config)
        shared.exports = Exports(_exporters_of(shared.config, exporters), outgoing, shared.counters)

    def run(self, orders: Orders) -> Run:
        shared, config = self._shared, self._shared.config
        return Run(
            orders,
            self._pipeline,
            self._writer,
            losses=shared.lost,
            last_write=lambda: shared.counters.last_write,
            refresh_budgets=self._refresh_budgets,
            budgets_due=self._budgets_due,
            retention=Retention(calls_ms=config.retention_ms, content_ms=config.content_retention_ms),
            eager=shared.ledger is not None,
        )

    def _pipeline(self, meanwhile: Meanwhile) -> Pipeline:
        shared = self._shared
        assert shared.exports is not None
        return Pipeline(
            shared.queue,
            shared.own_spool(),
            shared.counters,
            reader_of(shared.config, self._widen),
            pricer=Pricer(
                PricesLoader(self._load_prices, meanwhile),
                known=self._kept,
                charge=shared.ledger.charge if shared.ledger is not None else None,
            ),
            export=shared.exports.put,
        )

    def _writer(self, meanwhile: Meanwhile) -> Writer:
        writer = self._shared.store.writer(self._shared.loop, meanwhile)
        if self._shared.config.search and isinstance(writer, UsesTexts):
            writer.use_texts(_texts_of(self._shared.config))
        return writer

    def _load_prices(self) -> Prices | None:
        config = self._shared.config
        self._prices = prices_of(config, self.updates if config.update_prices else None)
        return self._prices

    def close(self) -> None:
        """Let go of what was loaded, and keep for the next program what was worked out."""
        self.updates.stop()
        if self._kept is None or self._prices is None:
            return
        from miharu.pricing.plans.planned import PlannedPrices

        if isinstance(self._prices, PlannedPrices):
            self._kept.keep(self._prices.plans)

    def _refresh_budgets(self, at_once: bool, meanwhile: Meanwhile) -> None:  # noqa: FBT001 - the seam's
        """Bring budgets and alerts up to date."""
        shared = self._shared
        if shared.ledger is None and shared.watch is None:
            return

        def ask(look: Callable[[Questions], Awaitable[T]]) -> T:
            return shared.queries.ask(look, meanwhile)

        with suppress(StoreError):  # the recorder says what is wrong
            shared.queries.open(meanwhile)
        if shared.ledger is not None:
            shared.ledger.refresh(ask, at_once=at_once)
        if shared.watch is not None:
            shared.watch.refresh(ask, at_once=at_once)

    def _budgets_due(self) -> float | None:
        """Seconds until it is time to ask for budgets or alerts; ``None`` where there are none."""
        asking = (self._shared.ledger, self._shared.watch)
        dues = [due for one in asking if one is not None and (due := one.due()) is not None]
        return min(dues, default=None)


def _kept_plans(config: Config) -> KeptPlans | None:
    """Plans of other programs; ``None`` where prices are not the built-in ones as they come."""
    place = place_for(config.database, "plans")
    own = config.prices is not None or config.update_prices
    return None if own or place is None else KeptPlans(place)


def _exporters_of(config: Config, named: Sequence[plugins.Loadable]) -> Sequence[Exporter]:
    """The program's, those that are named, and those that other packages bring."""
    brought = () if config.database == NOWHERE else plugins.installed("miharu.exporters")
    known = {point.name for point in named}
    points = (*named, *(point for point in brought if point.name not in known))
    exporters = [one for one in config.exporters if not isinstance(one, str)]
    for name, make in plugins.load(points):
        try:
            exporters.append(make())
        except Exception as error:  # noqa: BLE001 - the others go on, and so does the recording
            logger.warning(
                "miharu: the exporter %r is left out. %s Your program is not affected.", name, error
            )
    for exporter in exporters:
        if isinstance(exporter, UsesMessages):
            exporter.use_messages(_messages_of(config))
    return exporters


def _texts_of(config: Config) -> TextsOf:
    """What reads the texts of a call for the store, beside its other deferred work."""

    def texts(call: Call) -> Sequence[tuple[Role, str]]:
        with importing():  # wire formats import what lays them out when it is needed
            from miharu.providers.bodies.texts import texts_in

            return [(each.role, each.text) for each in texts_in(call, config.providers)]

    return texts


def _messages_of(config: Config) -> Callable[[Call], Said | None]:
    """What reads the messages of a call for an exporter, on a thread of its own."""

    def messages(call: Call) -> Said | None:
        with importing():  # wire formats import what lays them out when it is needed
            from miharu.providers.bodies.said import said_in

            return said_in(call, config.providers)

    return messages
