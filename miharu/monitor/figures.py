"""The figures of a process."""

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from miharu._budget import BudgetState

__all__ = ("NOTHING", "Stats")


class Stats(TypedDict):
    """What this process has done since ``init()``."""

    captured: int
    """Calls that were recognised."""
    written: int
    dropped: int
    """Calls, spans and scores that were lost, and calls of which the content was, because too many waited."""
    shed: int
    """Of these, the calls that were kept without their content, because memory or the spool was full."""
    not_exported: int
    """Calls, spans and scores that exporters could not deliver; the database has them."""
    spooled: int
    """What waits in a file beside the database, because the store does not take it."""
    unpriced: int
    estimated: int
    errors: int
    """Failures of miharu's own; none of them reached your program."""
    queue_depth: int
    last_write: float | None
    """Unix seconds."""
    database: str | None
    """Without user and password."""
    refused: int
    """Calls that were not sent, because a budget was used up that refuses them."""
    budgets: "list[BudgetState]"
    """How the budgets stand."""


NOTHING = Stats(
    captured=0,
    written=0,
    dropped=0,
    shed=0,
    not_exported=0,
    spooled=0,
    unpriced=0,
    estimated=0,
    errors=0,
    queue_depth=0,
    last_write=None,
    database=None,
    refused=0,
    budgets=[],
)
"""Of one that is not watched."""
