"""How many errors those have that a page lists, and what that says of a single call."""

import operator
from collections.abc import Callable, Mapping, Sequence

from miharu.conditions.language import Condition, Operator

__all__ = ("of_calls", "within")

_MEETS: Mapping[Operator, Callable[[int, int], bool]] = {
    "in": operator.eq,
    "not in": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


def within(conditions: Sequence[Condition], errors: int) -> bool:
    """Whether one with so many errors meets them all."""
    return all(_MEETS[one.operator](errors, int(one.values[0])) for one in conditions)


def of_calls(conditions: Sequence[Condition]) -> tuple[Condition, ...]:
    """The same of single calls: one fails once or not at all. Where neither meets them, no call does."""
    failed, others = within(conditions, 1), within(conditions, 0)
    return (
        *(() if others else (Condition(field="status", operator="in", values=("error",)),)),
        *(() if failed else (Condition(field="status", operator="not in", values=("error",)),)),
    )
