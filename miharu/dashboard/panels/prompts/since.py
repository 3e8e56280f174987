"""What is different since a version of a prompt changed, in figures, and whether chance explains it.

It says "since", not "because": something else may have changed at that time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from miharu.analysis.chance import ENOUGH, SURE, of_amounts, of_shares, of_sums, of_times
from miharu.call import Call
from miharu.stores.base import Group, ScoreSum
from miharu.wording.numbers import MINUS, compact, duration, money_change, rating_change

__all__ = ("Difference", "Since", "scored", "since")

_CLEAR = 0.005
"""A smaller part of what it was is not worth a sentence."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure, before and after."""

    name: str
    text: str
    css: str
    """``bad`` or ``ok`` where chance does not explain it, and it is known which of the two it is."""
    sure: bool | None
    """``None`` where there are too few calls to tell."""


@dataclass(frozen=True, slots=True)
class Since:
    """The figures, and a word on chance."""

    differences: Sequence[Difference]
    verdict: str


def since(
    before: Group,
    after: Group,
    old: Sequence[Call],
    new: Sequence[Call],
    more: Sequence[Difference] = (),
) -> Since:
    """Compare two versions.

    Args:
        before: Of the version before, all its calls in the range.
        after: Of the one that took its place.
        old: The newest calls of the version before.
        new: Those of the other.
        more: Further figures.
    """
    found: list[Difference] = [
        one
        for one in (
            _cost(before, after, old, new),
            _tokens(before, after, old, new),
            _errors(before, after),
            _p95(before, after, old, new),
        )
        if one is not None
    ]
    found += more
    calls, others = after.totals.calls, before.totals.calls
    return Since(found, _verdict(found, calls, others))


def scored(name: str, before: ScoreSum | None, after: ScoreSum | None) -> Difference | None:
    """How the scores of that name differ: in no colour, for a low one may be the better."""
    if before is None or after is None or (text := rating_change(before.mean, after.mean)) == "0":
        return None
    chance = of_sums(*((one.number, one.total, one.squares) for one in (after, before)))
    return Difference(name, f"{name} {text}", "mid", None if chance is None else chance < SURE)


def _verdict(found: Sequence[Difference], calls: int, others: int) -> str:
    if min(calls, others) < ENOUGH:
        return f"too few to tell: {calls:,} calls against {others:,}"
    sure = [one.name for one in found if one.sure]
    rest = [one.name for one in found if not one.sure]
    if not found:
        return f"nothing differs, {calls:,} calls against {others:,}"
    if not sure:
        return f"may all be chance, {calls:,} calls against {others:,}"
    if not rest:
        return f"surely more than chance, {calls:,} calls against {others:,}"
    return f"{_listed(sure)} surely more than chance; the rest may be chance"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _difference(name: str, text: str, chance: float | None, *, worse: bool) -> Difference:
    sure = None if chance is None else chance < SURE
    return Difference(name, text, ("bad" if worse else "ok") if sure else "mid", sure)


def _each(group: Group) -> float | None:
    priced = group.totals.calls - group.totals.unpriced
    return group.totals.cost_nanousd / priced if priced > 0 and group.totals.cost_nanousd else None


def _cost(before: Group, after: Group, old: Sequence[Call], new: Sequence[Call]) -> Difference | None:
    was, now = _each(before), _each(after)
    if was is None or now is None or abs(now - was) < _CLEAR * was:
        return None
    chance = of_amounts(*([call.cost.cost_nanousd for call in calls if call.cost] for calls in (new, old)))
    percent = 100 * abs(now - was) / was
    return _difference(
        "cost", f"cost a call {money_change(round(now - was))}, {percent:.0f}%", chance, worse=now > was
    )


def _tokens(before: Group, after: Group, old: Sequence[Call], new: Sequence[Call]) -> Difference | None:
    was, now = (
        (group.totals.prompt_tokens + group.totals.completion_tokens) / max(1, group.totals.calls)
        for group in (before, after)
    )
    if not was or not now or abs(now - was) < max(1, _CLEAR * was):
        return None
    chance = of_amounts(
        *(
            [
                (call.usage.prompt_tokens or 0) + (call.usage.completion_tokens or 0)
                for call in calls
                if call.usage.prompt_tokens is not None
            ]
            for calls in (new, old)
        )
    )
    sign = "+" if now > was else MINUS
    return _difference(
        "tokens", f"tokens a call {sign}{compact(round(abs(now - was)))}", chance, worse=now > was
    )


def _errors(before: Group, after: Group) -> Difference | None:
    (was, whole), (now, wholly) = ((group.totals.errors, group.totals.calls) for group in (before, after))
    points = 100 * (now / max(1, wholly) - was / max(1, whole))
    if abs(points) < 0.05:
        return None
    sign = "+" if points > 0 else MINUS
    chance = of_shares(now, wholly, was, whole)
    return _difference("errors", f"errors {sign}{abs(points):.1f} points", chance, worse=points > 0)


def _p95(before: Group, after: Group, old: Sequence[Call], new: Sequence[Call]) -> Difference | None:
    was, now = before.latency.p95_ms, after.latency.p95_ms
    if was is None or now is None or abs(now - was) <= 0.04 * was:  # percentiles are rounded by as much
        return None
    chance = of_times(
        *(
            [call.duration_ms for call in calls if call.outcome.status == "success" and call.is_timed]
            for calls in (new, old)
        )
    )
    sign = "+" if now > was else MINUS
    return _difference("time", f"p95 {sign}{duration(abs(now - was))}", chance, worse=now > was)
