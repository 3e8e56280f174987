"""All, less what is not meant: sums without a key have far fewer rows than those by it.

Where only some values of a key are left out, and nothing else is asked of it, a table without the key says
what all come to, and what is left out is read from the table with it and taken off.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from miharu.stores.cover import Piece, cover
from miharu.stores.rollups import Rollup
from miharu.stores.sql.conditions import Narrowing

__all__ = ("Wider", "wider")

_FEW = {"status"}
"""Keys that hardly make more rows."""


@dataclass(frozen=True, slots=True)
class Wider:
    """Where to read what all come to."""

    key: str
    """Of which some values are left out."""
    left_out: str
    """These, as a condition on rows of sums."""
    are_named: bool
    """Whether they are named one by one."""
    tables: Sequence[Rollup]
    """Those that do without the key."""

    @property
    def led(self) -> Collection[str]:
        """The keys whose values are named, and gone to directly."""
        return (self.key,) if self.are_named else ()

    @property
    def like(self) -> str:
        """Which models are left out, where these are not named."""
        return "" if self.are_named else self.left_out

    def instead_of(self, piece: Piece, horizon: int, made: Mapping[str, int], since: int) -> Sequence[Piece]:
        """Pieces that hold all of a piece in fewer rows; none where there are no such."""
        if piece.rollup is None or not self._leads_to(piece.rollup):
            return ()
        found = list(cover(piece.start, piece.end, self.tables, horizon, made, since=since))
        keys = {*piece.rollup.keys}
        fewer = (one.rollup is not None and {*one.rollup.keys} - _FEW < keys for one in found)
        return found if all(fewer) else ()

    def _leads_to(self, rollup: Rollup) -> bool:
        """Whether what is left out is gone to directly."""
        if self.key == rollup.keys[0]:
            return self.are_named or self.key == "model"
        return self.are_named and (self.key, *rollup.keys[:2]) == ("route", "model", "route")


def wider(
    narrow: Narrowing, needed: Collection[str], tables: Callable[[str], Sequence[Rollup]]
) -> Wider | None:
    """What is left out of the sums; ``None`` where it cannot be taken off.

    Args:
        narrow: The conditions.
        needed: The keys that nothing but the conditions needs.
        tables: The tables that do without a key.
    """
    for key, left_out in narrow.left_out.items():
        if key in needed and (found := tables(key)):
            return Wider(key, *left_out, found)
    return None
