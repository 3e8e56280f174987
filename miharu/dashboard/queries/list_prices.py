"""The list of prices, loaded when a page first explains one."""

from functools import cache
from typing import TYPE_CHECKING

from miharu._guard import swallowed

if TYPE_CHECKING:
    from miharu.pricing.genai import GenaiPrices

__all__ = ("list_prices",)


async def list_prices() -> "GenaiPrices | None":
    """The built-in list; ``None`` where it cannot be loaded."""
    from anyio import to_thread

    return await to_thread.run_sync(_load)  # half a second, once, and not on the loop


@cache
def _load() -> "GenaiPrices | None":
    try:
        from miharu.pricing.genai import GenaiPrices

        return GenaiPrices()
    except Exception:  # noqa: BLE001 - a page without prices is better than none
        swallowed("loading the prices for a page")
        return None
