"""One axis of time for many bars, on which nothing is lost in long silences.

A conversation of an hour may hold ten seconds of work. Silences are folded to a narrow gap that says how long
it was; all work is drawn to one scale.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from miharu.wording.numbers import duration_rough

__all__ = ("Axis", "Mark", "Segment")

_SILENCE = 0.12
"""The share of all work below which a silence is drawn at its own length."""
_SHORT_MS = 1000
"""And so is a shorter one: what lies around it began in the same second."""
_GAP, _GAPS = 3.0, 36.0
"""Percent of the width, of one gap and of all at most."""
_APART = 16
"""Percent of the width between two labels of moments, which take eight characters."""
_MINUTE = 60_000
_TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500)


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of time, in Unix milliseconds, and where it lies, in percent."""

    start: int
    end: int
    left: float
    right: float
    silent: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """A label of the axis."""

    at: float
    text: str
    ms: int | None = None
    """The moment itself, where that is what it says."""


@dataclass(frozen=True, slots=True)
class Axis:
    pieces: Sequence[Segment]

    @classmethod
    def over(cls, spans: Iterable[tuple[int, int]]) -> "Axis":
        """Over everything from each start to each end."""
        work = _merged(sorted(spans))
        total = sum(end - start for start, end in work)
        joined: list[list[int]] = []
        for start, end in work:
            if joined and start - joined[-1][1] <= max(_SILENCE * total, _SHORT_MS):
                joined[-1][1] = end
            else:
                joined.append([start, end])
        gaps = len(joined) - 1
        gap = min(_GAP, _GAPS / gaps) if gaps > 0 else 0.0
        length = sum(end - start for start, end in joined) or 1
        pieces: list[Segment] = []
        left = 0.0
        for start, end in joined:
            if pieces:
                pieces.append(Segment(pieces[-1].end, start, left, left + gap, silent=True))
                left += gap
            width = (100 - gap * max(gaps, 0)) * (end - start) / length
            pieces.append(Segment(start, end, left, left + width, silent=False))
            left += width
        return cls(pieces)

    def at(self, ms: int) -> float:
        """The place of a moment, in percent of the width."""
        for piece in self.pieces:
            if ms <= piece.end:
                inside = max(0, ms - piece.start) / max(1, piece.end - piece.start)
                return piece.left + (piece.right - piece.left) * inside
        return 100.0

    def moment(self, at: float) -> int:
        """The moment at that place of the width."""
        for piece in self.pieces:
            if at <= piece.right:
                break
        inside = (at - piece.left) / (piece.right - piece.left)
        return round(piece.start + (piece.end - piece.start) * max(0.0, min(1.0, inside)))

    def bar(self, start: int, ms: int) -> tuple[float, float]:
        """Left edge and width of a bar, wide enough to be seen."""
        left = min(self.at(start), 99.6)
        return round(left, 2), round(max(self.at(start + ms) - left, 0.4), 2)

    @property
    def silences(self) -> list[Mark]:
        return [
            Mark((piece.left + piece.right) / 2, duration_rough(piece.end - piece.start))
            for piece in self.pieces
            if piece.silent
        ]

    @property
    def is_whole(self) -> bool:
        """Whether nothing of it is folded."""
        return len(self.pieces) == 1

    def marks(self, began: int | None = None) -> list[Mark]:
        """Labels: how long after that moment, or its start; with silences folded, when each piece begins."""
        if self.is_whole:
            only = self.pieces[0]
            began = only.start if began is None else began
            length = only.end - only.start
            step = next((n * p for p in (1, 1000, _MINUTE) for n in _TICKS if n * p * 6 >= length), 3_600_000)
            first = -((began - only.start) // step) * step  # the first round one that is in it
            return [
                Mark(self.at(began + ms), _since(ms, step))
                for ms in range(first, only.end - began, step)
                if self.at(began + ms) < 97
            ]
        marks: list[Mark] = []
        for piece in self.pieces:
            if not piece.silent and (not marks or piece.left - marks[-1].at > _APART) and piece.left < 92:
                marks.append(Mark(piece.left, "", piece.start))
        return marks


def _since(ms: int, step: int) -> str:
    """As exact as the step: two labels never say the same."""
    if not ms:
        return "0"
    return duration_rough(ms) if ms < 1000 or step >= _MINUTE else f"{ms / 1000:,.10g} s"


def _merged(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged
