"""How far the rescue of one file has come, kept beside it so that the next process goes on from there."""

from dataclasses import asdict, dataclass, field, replace

from miharu.stores.sqlite.repair import sidecar
from miharu.stores.sqlite.repair.quarantine import SetAside
from miharu.stores.sqlite.repair.salvage.rowids import END, Gap

MOST_GAPS = 1000
"""Of one table; those after it count as one."""

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
    """Rows that could be read and are not valid."""
    lost: int = 0
    """Rowids in gaps: about as many rows."""
    open_end: bool = False
    """The end of the table cannot be read, and how much that is, is not known."""
    gaps: tuple[Gap, ...] = ()

    def with_gap(self, gap: Gap) -> "Progress":
        """As it is after what could not be read."""
        gaps = self.gaps
        if gaps and gaps[-1].first == gap.first:  # known from before an interruption
            return self
        if len(gaps) == MOST_GAPS:
            gap, gaps = Gap(gaps[-1].first, gap.last), gaps[:-1]
        lost = 0 if gap.last is None else gap.last - gap.first + 1
        return replace(self, lost=self.lost + lost, open_end=gap.last is None, gaps=(*gaps, gap))


Tables = dict[str, Progress]


@dataclass(slots=True)
class Report:
    """Of one file."""

    tables: Tables = field(default_factory=dict)
    """As it is, with the changes beside it."""
    again: Tables = field(default_factory=dict)
    """Without those changes; only where the first reading came upon damage."""
    leaves: Tables = field(default_factory=dict)
    """From the leaves, where both came upon damage; ``after`` is a page, the same for all tables."""
    attempts: int = 0
    """Beginnings since something was brought back."""
    failure: str = ""
    """Why nothing could be read."""
    finished: bool = False

    @property
    def calls(self) -> Progress:
        """What became of the calls, in all."""
        first, again, leaves = (
            tables.get("llm_calls", Progress()) for tables in (self.tables, self.again, self.leaves)
        )
        if not first.read:
            first, again = again, first
        more = again.new + leaves.new
        return replace(
            first, read=first.read + more, new=first.new + more, lost=max(0, first.lost - more), gaps=()
        )

    def words(self) -> str:
        """How many calls were brought back."""
        calls = self.calls
        if not calls.read and (self.failure or calls.lost or calls.open_end):
            return f"no call could be brought back: {self.failure or 'its pages are damaged'}"
        parts = [f"{calls.read:,} calls were brought back"]
        scattered = "llm_calls" in self.leaves and self.leaves["llm_calls"].new
        if scattered:
            parts[0] += ", some from pages to which nothing leads any more"
        if lost := calls.lost + calls.refused:
            parts.append(f"about {lost:,} could not be read")
        if scattered and (calls.open_end or self.failure):
            parts.append("and whether that is all is not known")
        elif calls.open_end:
            parts.append(
                "nor could what came after them" if lost else "what came after them could not be read"
            )
        return ", ".join(parts if len(parts) > 1 else [*parts, "none was lost"])


def load(aside: SetAside) -> Report:
    """What has been done with that file so far."""
    report = sidecar.read(aside.report, Report)
    return report if report is not None and _is_possible(report) else Report()


def save(aside: SetAside, report: Report) -> None:
    """Keep it.

    Raises:
        OSError: It cannot be written.
    """
    sidecar.write(aside.report, asdict(report))


def _is_possible(report: Report) -> bool:
    """Whether a rescue can go on from there, and its words be printed."""
    each = [*report.tables.values(), *report.again.values(), *report.leaves.values()]
    numbers = [report.attempts]
    for one in each:
        numbers += (one.after, one.read, one.new, one.refused, one.lost)
        numbers += (number for gap in one.gaps for number in (gap.first, gap.last or 0))
    return all(0 <= number <= END for number in numbers) and report.failure.isprintable()
