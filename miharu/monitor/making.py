"""What a monitor records with, made on the recorder's thread because it imports a lot."""

from collections.abc import Iterable, Mapping, Sequence

from miharu import plugins
from miharu._guard import swallowed
from miharu.config import NOTHING_IGNORED, NOWHERE, Config
from miharu.exporters.base import Exporter
from miharu.pricing.base import Prices
from miharu.pricing.updates import Updates
from miharu.providers.base import Provider, Rule
from miharu.recorder.reader import Reader

__all__ = ("exporters_of", "prices_of", "reader_of")


def reader_of(config: Config, formats: Iterable[Provider]) -> tuple[Reader, Sequence[Rule]]:
    """What reads calls, and the rules of the wire formats that other packages bring.

    Args:
        config: The settings.
        formats: Those of the program and our own.
    """
    extra = [provider() for _, provider in plugins.load(plugins.installed("miharu.providers"))]
    reader = Reader(
        [*formats, *extra],
        service=config.service,
        capture_content=config.capture_content,
        estimate_usage=config.estimate_usage,
        redact=config.redact,
        ignore=config.ignore.call if config.ignore != NOTHING_IGNORED else None,
    )
    return reader, [rule for provider in extra for rule in provider.rules]


def exporters_of(config: Config) -> Sequence[Exporter]:
    """The program's, and those that other packages bring."""
    points = () if config.database == NOWHERE else plugins.installed("miharu.exporters")
    return [*config.exporters, *(exporter() for _, exporter in plugins.load(points))]


def prices_of(config: Config, updates: Updates | None = None) -> Prices | None:
    """Prices of the host's own, the built-in ones, or the one on top of the other."""
    own = config.prices
    if own is not None and not isinstance(own, Mapping):
        return own
    built_in = _built_in_prices(updates)
    if not own:
        return built_in
    from miharu.pricing.own import OwnPrices

    return OwnPrices(own, built_in)


def _built_in_prices(updates: Updates | None) -> Prices | None:
    try:
        from miharu.pricing.genai import GenaiPrices
        from miharu.pricing.plans import PlannedPrices

        prices = PlannedPrices(GenaiPrices())
        if updates is not None:
            updates.start()
    except Exception:  # noqa: BLE001 - a call without a price is better than none
        swallowed("loading the prices")
        return None
    return prices
