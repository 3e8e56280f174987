"""The store of a monitor, made on first use by the recorder or a question."""

import threading
from collections.abc import Callable

from miharu.config import Config
from miharu.errors import StoreError
from miharu.plugins import Loadable
from miharu.recorder.threads.loop import LoopEnded, LoopThread
from miharu.stores.base import Store, Writer
from miharu.stores.blocking import blocking

__all__ = ("OneStore",)


class OneStore:
    """Makes the store on first use, once."""

    def __init__(self, config: Config, point: Loadable, *, read_only: bool) -> None:
        self._config = config
        self._point = point
        self._read_only = read_only
        self._store: Store | None = None
        self._making = threading.Lock()

    def __call__(self) -> Store:
        """The store.

        Raises:
            StoreError: It cannot be made, because a package is missing, say.
        """
        with self._making:
            if self._store is None:
                # a store of another package has to know of it only where it is asked for
                more = {"tag_sums": self._config.tag_sums} if self._config.tag_sums else {}
                self._store = self._point.load()(self._config.database, read_only=self._read_only, **more)
            return self._store

    def writer(self, loop: LoopThread, meanwhile: Callable[[], object]) -> Writer:
        """Its writer, for a thread that waits for it; a server's runs on that loop."""

        def run(function: object, *args: object) -> object:
            try:
                return loop.run(function, *args, meanwhile=meanwhile)  # type: ignore[arg-type]
            except LoopEnded as error:
                raise StoreError(f"There is no loop for the database: {error}") from error

        return blocking(self().writer(meanwhile), run)  # type: ignore[arg-type]
