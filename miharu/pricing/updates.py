"""Newer data for the built-in prices, fetched by genai-prices itself, once an hour."""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genai_prices import UpdatePrices

__all__ = ("Updates",)


class Updates:
    """Fetches prices in genai-prices' own thread, which the program may use as well."""

    def __init__(self, unseen: Callable[[], AbstractContextManager[None]]) -> None:
        """Prepare; nothing is asked for before ``start``.

        Args:
            unseen: A block whose requests are not recorded.
        """
        self._unseen = unseen
        self._updater: UpdatePrices | None = None

    def start(self) -> None:
        """Start to fetch prices, unless that was started."""
        if self._updater is None:
            _forget_what_a_fork_has_ended()
            self._updater = _updater(self._unseen)
            self._updater.start()

    def stop(self) -> None:
        """Stop fetching; prices that were fetched stay in use."""
        updater, self._updater = self._updater, None
        if updater is not None:
            updater.stop()  # type: ignore[no-untyped-call]


def _updater(unseen: Callable[[], AbstractContextManager[None]]) -> "UpdatePrices":
    from genai_prices import UpdatePrices
    from genai_prices.data_snapshot import DataSnapshot

    class Unseen(UpdatePrices):
        def fetch(self) -> DataSnapshot | None:
            with unseen():
                return super().fetch()

    return Unseen()


def _forget_what_a_fork_has_ended() -> None:
    """In a forked child the thread of the parent is gone, and genai-prices takes it for running."""
    with suppress(AttributeError, ImportError):
        from genai_prices.update_prices import _shared_updater

        if _shared_updater.thread is not None and not _shared_updater.thread.is_alive():
            _shared_updater.thread, _shared_updater.ref_count = None, 0
