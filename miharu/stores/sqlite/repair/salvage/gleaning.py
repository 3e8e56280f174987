"""What is left on the leaves for the tables that could not be read as a whole."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from miharu.stores.sqlite.repair.layout import Layout
from miharu.stores.sqlite.repair.salvage.leaves import records
from miharu.stores.sqlite.repair.salvage.mending import TargetColumn, mended
from miharu.stores.sqlite.repair.salvage.pages import Pages
from miharu.stores.sqlite.repair.salvage.rowids import Gap

__all__ = ("Found", "gleaned")


@dataclass(frozen=True, slots=True)
class Found:
    """A row as it may be kept."""

    page: int
    table: str
    row: tuple[Any, ...]


def gleaned(
    pages: Pages,
    layout: Layout,
    columns: Mapping[str, tuple[TargetColumn, ...]],
    gaps: Mapping[str, Sequence[Gap]],
    after: int = 0,
) -> Iterator[Found]:
    """Rows that stand in the gaps.

    Args:
        pages: Of the damaged file.
        layout: Which columns its tables have.
        columns: Those of the tables that the rows go to.
        gaps: What was not found of each table, in order; tables that were read as a whole are left out.
        after: Begin above this page.
    """
    # A row does not say of which table it is; only older rows of the widest one have fewer columns than it.
    widths = {len(table.columns): name for name, table in layout.tables.items()}
    widest = widths[max(widths)]
    starts = {name: [gap.first for gap in found] for name, found in gaps.items()}

    def wanted(width: int, rowid: int) -> bool:
        name = widths.get(width, widest)
        if name not in gaps or not (at := bisect_right(starts[name], rowid)):
            return False
        last = gaps[name][at - 1].last
        return last is None or rowid <= last

    for record in records(pages, wanted, after):
        name = widths.get(len(record.values), widest)
        values = dict.fromkeys(layout.tables[name].columns)
        values.update(zip(values, record.values, strict=False))
        row = mended(values, columns[name])
        if row is not None and _is_all_of(values, row, columns[name]):
            yield Found(record.page, name, row)


def _is_all_of(values: Mapping[str, Any], row: tuple[Any, ...], columns: tuple[TargetColumn, ...]) -> bool:
    """Whether nothing had to be taken out, as it is where the row is of another table."""
    return all(
        kept is not None or values.get(column.name) is None for column, kept in zip(columns, row, strict=True)
    )
