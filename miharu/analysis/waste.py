"""Money and time spent for nothing: failed attempts, abandoned streams, duplicates, cache misses."""

from dataclasses import dataclass

from miharu.stores.base import Totals

__all__ = ("NO_WASTE", "Wasted", "wasted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wasted:
    """What some calls have wasted."""

    failed: int = 0
    failed_nanousd: int = 0
    failed_ms: int = 0
    retries: int = 0
    left: int = 0
    left_nanousd: int = 0
    left_ms: int = 0
    duplicates: int = 0
    duplicate_nanousd: int = 0
    missed_tokens: int = 0
    missed_nanousd: int = 0

    @property
    def nanousd(self) -> int:
        """All the money wasted."""
        return self.failed_nanousd + self.left_nanousd + self.duplicate_nanousd + self.missed_nanousd

    @property
    def anything(self) -> bool:
        return bool(self.failed or self.left or self.duplicates or self.missed_tokens)


NO_WASTE = Wasted()


def wasted(totals: Totals, failed: Totals | None, left: Totals | None) -> Wasted:
    failed, left = failed or Totals(), left or Totals()
    return Wasted(
        failed=failed.calls,
        failed_nanousd=failed.cost_nanousd,
        failed_ms=failed.duration_ms,
        retries=totals.retries,
        left=left.calls,
        left_nanousd=left.cost_nanousd,
        left_ms=left.duration_ms,
        duplicates=totals.duplicates,
        duplicate_nanousd=totals.duplicate_nanousd,
        missed_tokens=totals.cache_missed_tokens,
        missed_nanousd=totals.cache_missed_nanousd,
    )
