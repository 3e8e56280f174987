"""The seam for exporters: where calls go beside the store."""

from typing import Protocol

from miharu.batch import Batch

__all__ = ("Exporter",)


class Exporter(Protocol):
    """Takes each batch after it was stored. A failure is counted and stops nobody."""

    async def export(self, batch: Batch) -> None:
        """Pass it on. Runs on the worker's asyncio loop; give it time-outs of its own."""
        ...

    async def close(self) -> None:
        """Let go of everything; called once, at shutdown."""
        ...
