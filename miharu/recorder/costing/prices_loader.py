"""Loading the prices beside the recorder, which goes on with what it can do meanwhile."""

import threading
from collections.abc import Callable
from contextvars import copy_context
from functools import partial

from miharu._guard import swallowed
from miharu.pricing.base import Prices
from miharu.recorder.threads.imports import importing

__all__ = ("PricesLoader",)

SLICE_S = 0.05
"""How long the recorder waits before it does something else meanwhile."""


class PricesLoader:
    """Loads the prices once, for the recorder alone."""

    def __init__(self, load: Callable[[], Prices | None], meanwhile: Callable[[], object]) -> None:
        """Prepare.

        Args:
            load: What imports them.
            meanwhile: Called again and again while that takes its time.
        """
        self._load = load
        self._meanwhile = meanwhile
        self._prices: Prices | None = None

    def __call__(self) -> Prices | None:
        """The prices; ``None`` where they cannot be loaded."""
        load = partial(copy_context().run, self._run)  # what prices of the program's own ask is unseen, too
        thread = threading.Thread(target=load, name="miharu-imports", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the program is ending, and starts no thread any more
            self._run()
            return self._prices
        while thread.is_alive():
            thread.join(SLICE_S)
            self._meanwhile()
        return self._prices

    def _run(self) -> None:
        try:
            with importing():
                self._prices = self._load()
        except Exception:  # noqa: BLE001 - a call without a price is better than none
            swallowed("loading the prices")
