"""The seam for exporters: where calls go beside the store."""

from collections.abc import Sequence
from typing import Protocol

from miharu.call import Call

__all__ = ("Exporter",)


class Exporter(Protocol):
    """Takes each batch after it was stored. A failure is counted and stops nobody."""

    async def export(self, batch: Sequence[Call]) -> None:
        """Pass the calls on. Runs on the worker's asyncio loop; give it time-outs of its own."""
        ...

    async def close(self) -> None:
        """Let go of everything; called once, at shutdown."""
        ...
