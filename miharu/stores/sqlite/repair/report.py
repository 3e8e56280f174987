"""How far the rescue of one file has come, kept beside it so that whoever comes next goes on from there."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from miharu.stores.sqlite.repair import sidecar
from miharu.stores.sqlite.repair.quarantine import Aside

__all__ = ("Progress", "Report", "Tables", "load", "save")


@dataclass(frozen=True, slots=True)
class Progress:
    """Of one table."""

    after: int = 0
    """Rowids up to this one are done with."""
    read: int = 0
    new: int = 0
    """Of those read, the rows that the new file did not have."""
    refused: int = 0
    """Rows that could be read and made no sense."""
    lost: int = 0
    """Rowids in gaps: about as many rows."""
    open_end: bool = False
    """The end of the table cannot be read, and nobody knows how much that is."""


Tables = dict[str, Progress]


@dataclass(slots=True)
class Report:
    """Of one file."""

    tables: Tables = field(default_factory=dict)
    """As it is, with the changes beside it."""
    again: Tables = field(default_factory=dict)
    """Without those changes; only where the first reading came upon damage."""
    attempts: int = 0
    """Beginnings since something was brought back."""
    failure: str = ""
    """Why nothing could be read."""
    finished: bool = False

    @property
    def calls(self) -> Progress:
        """What became of the calls, in all."""
        first, again = (tables.get("llm_calls", Progress()) for tables in (self.tables, self.again))
        if not first.read:
            return again if again.read else first
        return Progress(
            read=first.read + again.new,
            new=first.new + again.new,
            refused=first.refused,
            lost=max(0, first.lost - again.new),
            open_end=first.open_end,
        )

    def words(self) -> str:
        """How many calls were brought back."""
        calls = self.calls
        if not calls.read and (self.failure or calls.lost or calls.open_end):
            return f"no call could be brought back: {self.failure or 'its pages are damaged'}"
        parts = [f"{calls.read:,} calls were brought back"]
        if lost := calls.lost + calls.refused:
            parts.append(f"about {lost:,} could not be read")
        if calls.open_end:
            parts.append(
                "nor could what came after them" if lost else "what came after them could not be read"
            )
        return ", ".join(parts if len(parts) > 1 else [*parts, "none was lost"])


def load(aside: Aside) -> Report:
    """What has been done with that file so far."""
    facts = sidecar.read(aside.report)
    try:
        return _report(facts) if facts else Report()
    except (TypeError, AttributeError):
        return Report()


def save(aside: Aside, report: Report) -> None:
    """Keep it.

    Raises:
        OSError: It cannot be written.
    """
    sidecar.write(aside.report, asdict(report))


def _report(facts: Mapping[str, Any]) -> Report:
    tables, again = (
        {name: Progress(**progress) for name, progress in facts[part].items()} for part in ("tables", "again")
    )
    return Report(**{**facts, "tables": tables, "again": again})
