"""Why spending changed between two times, in money that adds up exactly.

For calls of one kind (a model, say), with the number n of them, of N calls in all, and the cost C:

    volume     (N1 - N0) * C0 / N0             as many more calls as there are, all as before
    mix        n1 * C0 / n0  -  N1 * C0 / N0   more or less of this kind among them
    prompts    longer or shorter prompts       |  at the prices of before, by the weights of the
    cache      less or more of them cached     |  price list between input, cached input and output
    answers    longer or shorter answers       |
    price      what is left: the price of a token

A kind that is new has no before: all of it is mix. The sum over the kinds is the difference of the two sums,
because each row is: rounding to a nano-dollar is settled within its largest part.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, get_args

from miharu.stores.base import Totals

__all__ = ("EFFECTS", "USUAL", "CostChange", "Effect", "Weights", "cost_changes", "summed")

Effect = Literal["volume", "mix", "prompts", "cache", "answers", "price"]
EFFECTS: tuple[Effect, ...] = get_args(Effect)


@dataclass(frozen=True, slots=True)
class Weights:
    """The prices of kinds of tokens, relative to each other."""

    input: Fraction
    cached: Fraction
    output: Fraction


USUAL = Weights(Fraction(1), Fraction(1, 10), Fraction(4))
"""The ratio of prices at most providers, for models without a listed price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostChange:
    """How the cost of one kind changed. Everything in nano-dollars."""

    key: str | None
    before: Totals
    after: Totals
    effects: Mapping[Effect, int]
    """Their sum is the change."""

    @property
    def change(self) -> int:
        return self.after.cost_nanousd - self.before.cost_nanousd


def cost_changes(
    before: Mapping[str | None, Totals],
    after: Mapping[str | None, Totals],
    weights: Mapping[str | None, Weights],
) -> list[CostChange]:
    """One move for each kind, the largest change first."""
    n0, n1 = (sum(totals.calls for totals in side.values()) for side in (before, after))
    made = []
    for key in dict.fromkeys((*after, *before)):
        old, new = before.get(key, Totals()), after.get(key, Totals())
        parts = _parts(old, new, n0, n1, weights.get(key, USUAL))
        made.append(CostChange(key=key, before=old, after=new, effects=_rounded(parts, old, new)))
    return sorted(made, key=lambda move: (-abs(move.change), move.key or ""))


def summed(parts: Iterable[CostChange]) -> dict[Effect, int]:
    """The effects of all kinds together."""
    every = list(parts)
    return {effect: sum(move.effects[effect] for move in every) for effect in EFFECTS}


def _parts(old: Totals, new: Totals, n0: int, n1: int, weights: Weights) -> dict[Effect, Fraction]:
    parts: dict[Effect, Fraction] = dict.fromkeys(EFFECTS, Fraction(0))
    if n0 == 0:
        parts["volume"] = Fraction(new.cost_nanousd)
        return parts
    spread = Fraction(old.cost_nanousd, n0)
    parts["volume"] = (n1 - n0) * spread
    if old.calls == 0:
        parts["mix"] = Fraction(new.cost_nanousd)
        return parts
    each = Fraction(old.cost_nanousd, old.calls)
    parts["mix"] = new.calls * each - n1 * spread
    if new.calls == 0:
        return parts
    parts |= _tokens(old, new, each, weights)
    parts["price"] = (
        new.cost_nanousd
        - new.calls * each
        - sum((parts["prompts"], parts["cache"], parts["answers"]), Fraction(0))
    )
    return parts


def _tokens(old: Totals, new: Totals, each: Fraction, weights: Weights) -> dict[Effect, Fraction]:
    """What longer prompts and the like would have cost at the prices of before."""
    (prompt0, share0, answer0), (prompt1, share1, answer1) = _shape(old), _shape(new)
    at0, at1 = (weights.input + (weights.cached - weights.input) * share for share in (share0, share1))
    worth = at0 * prompt0 + weights.output * answer0
    if worth <= 0:  # nothing was used before that could be compared
        return {}
    scale = new.calls * each / worth
    return {
        "prompts": scale * at0 * (prompt1 - prompt0),
        "cache": scale * (at1 - at0) * prompt1,
        "answers": scale * weights.output * (answer1 - answer0),
    }


def _shape(totals: Totals) -> tuple[Fraction, Fraction, Fraction]:
    """Of the average call: prompt tokens, the cached share of them, completion tokens."""
    cached = min(totals.cached_tokens, totals.prompt_tokens)
    return (
        Fraction(totals.prompt_tokens, totals.calls),
        Fraction(cached, totals.prompt_tokens) if totals.prompt_tokens else Fraction(0),
        Fraction(totals.completion_tokens, totals.calls),
    )


def _rounded(parts: Mapping[Effect, Fraction], old: Totals, new: Totals) -> dict[Effect, int]:
    whole = {effect: round(part) for effect, part in parts.items()}
    rest = new.cost_nanousd - old.cost_nanousd - sum(whole.values())
    if rest:
        largest: Sequence[Effect] = sorted(whole, key=lambda effect: -abs(whole[effect]))
        whole[largest[0]] += rest
    return whole
