"""Our costs of the recorded exchanges beside those of ``independent_cost.py``."""

from collections.abc import Iterator
from datetime import UTC, datetime

from miharu import providers
from miharu.plugins import load
from miharu.pricing.genai import GenaiPrices
from miharu.recorder.reading.reader import Reader
from tests.corpus import independent_cost, offline

__all__ = ("compared",)

BYOK = {"pydantic-ai-3c0eed1086", "pydantic-ai-34f3ab0a7d"}
"""A key of one's own at OpenRouter: the truth has its fee alone (``disagreements.json``)."""


def compared() -> Iterator[tuple[str, str, int | None, int | None, str]]:
    """Provider, id, our nano-dollars, theirs, and the verdict, of each exchange that used something."""
    reader = Reader([provider() for _, provider in load(providers.BUILT_IN)])
    prices = GenaiPrices()
    for recorded in offline.exchanges():
        if recorded["id"] in BYOK:
            continue
        call = offline.call_of(reader, recorded)
        if call is None:
            continue
        cost = call.cost or prices.cost(call)
        ours = cost.cost_nanousd if cost else None
        theirs = independent_cost.cost_of(recorded, datetime.fromtimestamp(call.timestamp / 1000, UTC))
        yield recorded["provider"], recorded["id"], ours, theirs, _verdict(ours, theirs)


def _verdict(ours: int | None, theirs: int | None) -> str:
    if ours is None and theirs is None:
        return "neither"
    if ours is None:
        return "ours unknown"
    if theirs is None:
        return "other unknown"
    return "equal" if ours == theirs else "different"
