"""Whether chance explains that two groups of calls differ: plain tests, each said to a reader by its name.

Shares of errors are compared by the test of two proportions, amounts by Welch's t, and times by ranks (Mann
and Whitney), because a few long ones decide their mean. All use the normal distribution, so there is no
answer below ``ENOUGH`` calls on either side. Below ``SURE`` chance is not believed.
"""

import math
from collections.abc import Sequence
from statistics import fmean, variance

__all__ = ("ENOUGH", "SURE", "of_amounts", "of_shares", "of_sums", "of_times")

ENOUGH = 30
"""Calls on either side."""
SURE = 0.01
"""The probability that chance makes as large a difference."""


def of_shares(hits: int, whole: int, other_hits: int, other_whole: int) -> float | None:
    """The probability that two shares differ as much by chance; ``None`` where there are too few."""
    if min(whole, other_whole) < ENOUGH:
        return None
    pooled = (hits + other_hits) / (whole + other_whole)
    spread = math.sqrt(pooled * (1 - pooled) * (1 / whole + 1 / other_whole))
    return _two_sided(hits / whole - other_hits / other_whole, spread)


def of_amounts(values: Sequence[float], others: Sequence[float]) -> float | None:
    """The probability that two means differ as much by chance; ``None`` where there are too few."""
    if min(len(values), len(others)) < ENOUGH:
        return None
    spread = math.sqrt(variance(values) / len(values) + variance(others) / len(others))
    return _two_sided(fmean(values) - fmean(others), spread)


def of_sums(sums: tuple[int, float, float | None], others: tuple[int, float, float | None]) -> float | None:
    """The same of two means whose sums are known: how many values, their sum and that of their squares."""
    (n, total, squares), (m, other_total, other_squares) = sums, others
    if min(n, m) < ENOUGH or squares is None or other_squares is None:
        return None
    spread = math.sqrt(_variance(n, total, squares) / n + _variance(m, other_total, other_squares) / m)
    return _two_sided(total / n - other_total / m, spread)


def _variance(number: int, total: float, squares: float) -> float:
    return max(0.0, (squares - total * total / number) / (number - 1))


def of_times(values: Sequence[float], others: Sequence[float]) -> float | None:
    """The probability that one side is as much slower by chance; ``None`` where there are too few."""
    n, m = len(values), len(others)
    if min(n, m) < ENOUGH:
        return None
    ordered = sorted([(value, True) for value in values] + [(value, False) for value in others])
    ranks, ties, at = 0.0, 0, 0
    while at < len(ordered):
        upto = at
        while upto < len(ordered) and ordered[upto][0] == ordered[at][0]:
            upto += 1
        ranks += (at + 1 + upto) / 2 * sum(is_own for _, is_own in ordered[at:upto])
        ties += (upto - at) ** 3 - (upto - at)
        at = upto
    whole = n + m
    spread = math.sqrt(n * m / 12 * (whole + 1 - ties / (whole * (whole - 1))))
    return _two_sided(ranks - n * (whole + 1) / 2, spread)


def _two_sided(difference: float, spread: float) -> float:
    if not spread:
        return 0.0 if difference else 1.0
    return math.erfc(abs(difference) / spread / math.sqrt(2))
