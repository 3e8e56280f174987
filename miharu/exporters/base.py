"""The seam for exporters: where calls go beside the store."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from miharu.batch import Batch

if TYPE_CHECKING:
    from miharu.call import Call
    from miharu.providers.messages import Said

__all__ = ("Exporter", "Flushes", "TellsLosses", "UsesMessages")


class Exporter(Protocol):
    """Gets each batch after it was stored. A failure is counted and affects neither the store nor others.

    It may have more than these two methods: those of the protocols below.
    """

    async def export(self, batch: Batch) -> None:
        """Export one batch. Runs on the worker's asyncio loop; give it time-outs of its own."""
        ...

    async def close(self) -> None:
        """Close all connections; called once, at shutdown."""
        ...


@runtime_checkable
class Flushes(Protocol):
    """An exporter that keeps records back for a while, to send several at once."""

    async def flush(self) -> None:
        """Send them now: called by ``miharu.flush()``, and at shutdown before ``close``."""
        ...


@runtime_checkable
class TellsLosses(Protocol):
    """An exporter that counts what it could not deliver."""

    @property
    def lost(self) -> int:
        """Calls, spans and scores; shown in ``miharu.stats()``."""
        ...


@runtime_checkable
class UsesMessages(Protocol):
    """An exporter that passes on what was said in a call, where that was captured."""

    def use_messages(self, messages: "Callable[[Call], Said | None]") -> None:
        """Be given what reads the messages of a call from its bodies, before the first batch."""
        ...
