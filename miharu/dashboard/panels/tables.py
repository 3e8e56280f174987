"""Tables: in which order their rows come, and the same rows as plain values for a file."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Generic, TypeVar

__all__ = ("Column", "Sheet", "Sorted", "Value", "ordered", "part_of", "sheet", "usd")

R = TypeVar("R")
Value = int | float | str | Decimal | None


@dataclass(frozen=True, slots=True)
class Column(Generic[R]):
    """One fact of each row."""

    name: str
    """The column's name in addresses and in files."""
    title: str
    value: Callable[[R], Value]
    why: str = ""
    """What it means, where the title does not say it."""


@dataclass(frozen=True, slots=True)
class Sorted:
    """The column by which a table is sorted."""

    name: str
    descending: bool

    @property
    def text(self) -> str:
        """The order as it is written in an address."""
        return f"-{self.name}" if self.descending else self.name

    def turned(self, name: str, *, words: bool) -> str:
        """The order that a click on that heading asks for: the largest first, words from A, and back."""
        descending = not self.descending if name == self.name else not words
        return f"-{name}" if descending else name


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is on screen, for a file."""

    name: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Value]]
    more: Mapping[str, Any] | None = None
    """What a file can say beside its rows, such as where the rest is."""


def ordered(
    rows: Iterable[R], columns: Sequence[Column[R]], sort: str | None, default: Sorted
) -> tuple[list[R], Sorted]:
    """The rows in the order asked for. What is not known comes last in either direction."""
    wanted = Sorted(sort.removeprefix("-"), sort.startswith("-")) if sort else default
    column = next((one for one in columns if one.name == wanted.name), None)
    if column is None:
        wanted = default
        column = next(one for one in columns if one.name == default.name)
    value = column.value
    valued = [(found, row) for row in rows if (found := value(row)) is not None]
    rest = [row for row in rows if value(row) is None]
    valued.sort(key=lambda pair: _key(pair[0]), reverse=wanted.descending)
    return [*(row for _, row in valued), *rest], wanted


def sheet(name: str, columns: Sequence[Column[R]], rows: Iterable[R]) -> Sheet:
    return Sheet(
        name,
        [column.name for column in columns],
        [[column.value(row) for column in columns] for row in rows],
    )


def part_of(name: str, columns: Sequence[Column[R]], rows: Sequence[R], whole: int) -> Sheet:
    """A table of which these rows are all, or as many as a file holds."""
    more = {"left_out": whole - len(rows)} if whole > len(rows) else None
    return Sheet(name, [c.name for c in columns], [[c.value(row) for c in columns] for row in rows], more)


def usd(nano: int | None) -> Decimal | None:
    """Dollars, to the last digit."""
    return None if nano is None else Decimal(nano).scaleb(-9)


def _key(value: Value) -> Any:
    return value.casefold() if isinstance(value, str) else value
