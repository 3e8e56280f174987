"""The seam for exporters: where calls go beside the store."""

from typing import Protocol

from miharu.batch import Batch

__all__ = ("Exporter",)


class Exporter(Protocol):
    """Gets each batch after it was stored. A failure is counted and affects neither the store nor others."""

    async def export(self, batch: Batch) -> None:
        """Export one batch. Runs on the worker's asyncio loop; give it time-outs of its own."""
        ...

    async def close(self) -> None:
        """Close all connections; called once, at shutdown."""
        ...
