"""One plan: what a token costs, of calls that are alike in all that a price depends on.

That is the same names, place, terms and kind of usage: the same fields of the usage object with the same
words in them, and something above zero in the same ones.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter, is_not

from miharu.call import Call, Cost, Status, Usage
from miharu.pricing.billing.tokens import TOKENS

__all__ = ("FINE", "NAMES", "Counts", "Key", "Plan", "counts_of", "key_of")

FINE = 10**6
"""Rates are in millionths of a nano-dollar, so that the finest price of the list, with a surcharge of ten
percent, is a whole number as well."""
NAMES = tuple(TOKENS)

_NUMBER = re.compile(r'[1-9](?<=":[1-9])[0-9]*(?=[,}])')
"""It begins with what is rare, since it is looked for at each place."""
_UNFAMILIAR = re.compile(r'":(?:\s|-?[0-9]+[.0-9eE])|[\\\[]')
"""Blanks, escapes, lists, and numbers that are not whole."""

Kinds = tuple[bool, ...]
"""Of each of ``NAMES`` whether it is counted, then of each whether the count is above zero."""
Counts = tuple[int | None, ...]
"""The counts of the fields of usage that are paid, in the order of ``NAMES``."""
Key = tuple[str, str | None, str | None, str | None, str | None, str | None, bool, Status, str, Kinds]
"""All that a price depends on beside the moment and the counts."""

_IS_GIVEN, _NOTHING = is_not, (None,) * len(NAMES)

counts_of: Callable[[Usage], Counts] = attrgetter(*NAMES)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a token costs, by the field of usage that counts it."""

    rates: tuple[tuple[str, int], ...]
    """In millionths of a nano-dollar."""
    source: str
    version: str
    since: int
    """Unix milliseconds; ``until`` is the first moment at which it does not hold any more."""
    until: int
    below: int
    """It holds for prompts of fewer tokens than that."""

    def holds(self, call: Call) -> bool:
        """Whether it is about that moment, and a prompt of that length."""
        return self.since <= call.timestamp < self.until and (call.usage.prompt_tokens or 0) < self.below

    def cost(self, usage: Usage) -> Cost:
        """The cost of the usage, rounded half-even to a nano-dollar, once."""
        whole, rest = divmod(sum([getattr(usage, name) * rate for name, rate in self.rates]), FINE)
        up = rest * 2 > FINE or (rest * 2 == FINE and whole & 1)
        return Cost(cost_nanousd=whole + up, cost_source=self.source, price_version=self.version)


def key_of(call: Call) -> Key | None:
    """What is the same for the same plan; ``None`` of an unfamiliar usage, and of one that is wrong."""
    counts = counts_of(call.usage)
    shape = _NUMBER.sub("1", call.usage.usage_raw or "")
    if _UNFAMILIAR.search(shape) or not _is_consistent(counts):
        return None
    return (
        call.api,
        call.provider,
        call.host,
        call.model,
        call.request_model,
        call.service_tier,
        call.finish_reason == "refusal",
        call.outcome.status,
        shape,
        (*map(_IS_GIVEN, counts, _NOTHING), *map(bool, counts)),
    )


def _is_consistent(counts: Counts) -> bool:
    """Whether parts are no more than what they are parts of: there a price is a sum of rates."""
    if not any(counts[2:]):
        return True
    prompt, completion, read, written, short, long, reasoning, heard, spoken, seen, drawn = [
        count or 0 for count in counts
    ]
    return (
        read + written + heard + seen <= prompt
        and reasoning + spoken + drawn <= completion
        and short + long <= written
    )
