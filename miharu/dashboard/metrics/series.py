"""Which series there are. Their number is bounded, since a monitoring system keeps each of them for ever.

Which ones have names of their own must not depend on a sum, nor on the process that answers: a series that
left ``other`` would make that less than before, which is taken for a restart from zero. So it goes by the
order of the names, in which a series can only ever be moved towards ``other``.
"""

from collections.abc import Iterable
from typing import TypeVar

from miharu.stores.base import Tally, TimedCalls

__all__ = ("ERROR_TYPES", "LABELS", "NONE", "OTHER", "SETS", "LabelSets", "among")

LABELS = ("model", "provider", "route", "service")
SETS = 200
"""Sets of these labels that are named; each has up to some forty series."""
ERROR_TYPES = 20
OTHER, NONE = "other", "none"

T = TypeVar("T", bound=tuple[str, ...] | str)


class LabelSets:
    """The labels of what was counted.

    Args:
        counted: All of it.
        most: How many sets of labels are named.
    """

    def __init__(self, counted: Iterable[Tally | TimedCalls], most: int = SETS) -> None:
        sets = {_labels(one) for one in counted}
        self._named = among(sets, most)
        self.named, self.unnamed = len(self._named), len(sets) - len(self._named)

    def labels(self, one: Tally | TimedCalls) -> tuple[str, ...]:
        """The values of ``LABELS``."""
        labels = _labels(one)
        return labels if labels in self._named else (OTHER,) * len(LABELS)


def among(values: Iterable[T], most: int) -> frozenset[T]:
    """The first in the order of their names."""
    return frozenset(sorted(values)[:most])


def _labels(one: Tally | TimedCalls) -> tuple[str, ...]:
    return tuple(getattr(one, name) or NONE for name in LABELS)
