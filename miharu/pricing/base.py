"""The seam for prices."""

from typing import Protocol

from miharu.call import Call, Cost

__all__ = ("Prices",)


class Prices(Protocol):
    """Knows what calls cost."""

    def cost(self, call: Call) -> Cost | None:
        """What the call cost, or ``None`` when that is not known. Runs in the worker."""
        ...
