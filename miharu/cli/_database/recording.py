"""Opening a database to record what other programs send, without watching any call of this one."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from miharu.cli._database.reading import check_file
from miharu.config import Config
from miharu.errors import NoDatabase

if TYPE_CHECKING:
    from miharu.monitor import Monitor

__all__ = ("recording",)


@contextmanager
def recording(database: str | None) -> "Iterator[Monitor]":
    """The database that argument or environment name, which is made if there is none.

    Raises:
        MiharuError: It cannot be used; the message says why and what to do.
    """
    from miharu.monitor import Monitor

    config = Config.resolve(database)
    with suppress(NoDatabase):
        check_file(config.database)
    monitor = Monitor(config, watching=False)
    monitor.start()
    try:
        yield monitor
    finally:
        monitor.stop()
