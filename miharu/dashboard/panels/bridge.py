"""Why the cost changed, in words: the largest reasons of a row, and the way from one sum to the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from miharu.analysis.cost_changes import EFFECTS, CostChange, Effect

__all__ = ("Reason", "bridge", "reasons", "said")

_SAID = 3
_WORTH_SAYING = 0.04
"""The share of the change below which a reason is left out of a row."""
_WORDS: Mapping[Effect, tuple[str, str]] = {
    "volume": ("more calls", "fewer calls"),
    "mix": ("a dearer mix", "a cheaper mix"),
    "prompts": ("longer prompts", "shorter prompts"),
    "cache": ("less from caches", "more from caches"),
    "answers": ("longer answers", "shorter answers"),
    "price": ("a higher price", "a lower price"),
}
_OF_ONE = ("a larger share of calls", "a smaller share of calls")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One effect, and where its bar lies between the two sums, in percent."""

    words: str
    nanousd: int
    left: float = 0
    width: float = 0
    says_how_much: bool = True


def reasons(move: CostChange) -> list[Reason]:
    """The reasons of one row, the largest first."""
    if not move.change:
        return []
    if not move.before.calls:
        return [Reason(words="new", nanousd=move.change, says_how_much=False)]
    if not move.after.calls:
        return [Reason(words="no longer used", nanousd=move.change, says_how_much=False)]
    least = max(1, abs(move.change) * _WORTH_SAYING)
    ranked = sorted(EFFECTS, key=lambda effect: -abs(move.effects[effect]))
    return [
        Reason(words=_words(effect, move.effects[effect], of_one=True), nanousd=move.effects[effect])
        for effect in ranked[:_SAID]
        if abs(move.effects[effect]) >= least
    ]


def said(effects: Mapping[Effect, int]) -> list[Reason]:
    """The largest reasons of many kinds together, the largest first."""
    least = max(1, abs(sum(effects.values())) * _WORTH_SAYING)
    ranked = sorted(EFFECTS, key=lambda effect: -abs(effects[effect]))
    return [
        Reason(words=_words(effect, effects[effect]), nanousd=effects[effect])
        for effect in ranked[:_SAID]
        if abs(effects[effect]) >= least
    ]


def bridge(start: int, end: int, effects: Mapping[Effect, int]) -> Sequence[Reason]:
    """From the sum before to the sum after: bars that begin where the last one ended.

    The sums themselves are marks on the way, for their bars would dwarf all others.
    """
    at, stops, steps = start, [start, end], []
    for effect in EFFECTS:
        if effects[effect]:
            steps.append((_words(effect, effects[effect]), effects[effect], at))
            at += effects[effect]
            stops.append(at)
    low, high = min(stops), max(stops)

    def place(nano: int) -> float:
        return round(2 + 96 * (nano - low) / (high - low), 2) if high > low else 50.0

    way = [Reason(words="the other period", nanousd=start, left=place(start))]
    for words, nano, begun in steps:
        left, right = sorted((place(begun), place(begun + nano)))
        way.append(Reason(words=words, nanousd=nano, left=left, width=round(max(right - left, 0.4), 2)))
    return [*way, Reason(words="this period", nanousd=end, left=place(end))]


def _words(effect: Effect, nano: int, *, of_one: bool = False) -> str:
    up, down = _OF_ONE if effect == "mix" and of_one else _WORDS[effect]
    return up if nano > 0 else down
