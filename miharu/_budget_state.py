"""How a budget stands: the state that refused calls, the log and the pages report."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal

__all__ = ("BudgetState", "Per", "usd_of")

Per = Literal["hour", "day", "month"]
_NANO = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetState:
    """How a budget stands in its present period."""

    name: str
    key: str | None
    """The user or the route, of a budget for each of them."""
    per: Per
    limit_nanousd: int
    spent_nanousd: int
    """By all calls with a known price, of all processes that share the database."""
    unpriced: int
    """Calls whose price is not known. They are not in the sum, and they are not free."""
    starts: int
    """Unix milliseconds."""
    ends: int
    """Unix milliseconds; from then on the next period counts."""
    refuses: bool
    """Whether calls are refused once it is used up."""
    is_known: bool = True
    """Whether the database has been asked; until then only this process's own calls are counted."""

    is_unread: bool = False
    """Whether the database has been asked in this period and could not say, twice in a row."""

    @property
    def exceeded(self) -> bool:
        """Whether it is used up."""
        return self.spent_nanousd >= self.limit_nanousd

    @property
    def share(self) -> float:
        """How much of it is used; 1.0 is all of it."""
        return self.spent_nanousd / self.limit_nanousd

    @property
    def limit_usd(self) -> float:
        return self.limit_nanousd / _NANO

    @property
    def spent_usd(self) -> float:
        return self.spent_nanousd / _NANO

    def __str__(self) -> str:
        """How it stands, without the remedy."""
        whose = f" of {self.key!r}" if self.key else ""
        if self.is_unread:
            return (
                f"What was spent of the budget {self.name!r}{whose} since {_moment(self.starts)} cannot be "
                "read from the database"
            )
        how = "is used up" if self.exceeded else f"is used to {int(self.share * 100)} percent"
        calls = "1 call" if self.unpriced == 1 else f"{self.unpriced} calls"
        unpriced = f", besides {calls} without a known price" if self.unpriced else ""
        return (
            f"The budget {self.name!r}{whose} {how}: {usd_of(self.spent_nanousd)} of "
            f"{usd_of(self.limit_nanousd)} USD since {_moment(self.starts)}{unpriced}"
        )

    @property
    def ends_at(self) -> str:
        """The end of the period, for people."""
        return _moment(self.ends)


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def usd_of(nano: int) -> str:
    """US dollars with two digits behind the point, or as many as a smaller sum needs."""
    usd = Decimal(nano) / _NANO
    if usd >= 1 or nano % (_NANO // 100) == 0:
        return f"{usd:.2f}"
    return f"{usd:.{1 - usd.adjusted()}f}".rstrip("0")
