"""What would have found calls, where a command found none."""

from typing import TYPE_CHECKING

from miharu.cli._output import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from miharu.stores.base import Query, Questions

__all__ = ("near_lines",)

_LONGEST = 1000


async def near_lines(store: "Questions", query: "Query") -> "Sequence[str]":
    """A line for each value that no call has, with the condition that finds some."""
    from miharu.analysis.near_values import near_values
    from miharu.conditions.writing import write_condition

    return [
        printable(f"{one.sentence} Perhaps {write_condition(one.instead)}", _LONGEST)
        for one in await near_values(store, query)
    ]
