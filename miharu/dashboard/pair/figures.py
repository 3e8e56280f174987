"""The figures of two calls, and what changed from the first to the second."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from miharu.batch import Score
from miharu.call import Call
from miharu.dashboard.call.rows import Cell, cost_cell, token_cell, ttft_cell
from miharu.dashboard.charts.axis import Axis, Mark
from miharu.wording.numbers import MINUS, UNKNOWN, count, duration, money

__all__ = ("Bar", "PairFigure", "Times", "figures", "times")

_SMALL = 0.01
"""A share below which a change is neither good nor bad."""
_TOKENS = (
    ("Input", "prompt_tokens", False),
    ("From cache", "cached_tokens", True),
    ("Output", "completion_tokens", False),
    ("Reasoning", "reasoning_tokens", False),
)
"""Name, field, and whether more of it is good; else more of it is neither."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairFigure:
    name: str
    first: Cell
    second: Cell
    change: str
    css: str
    """``bad`` or ``ok`` where the change clearly is, else grey."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A call on the axis that both share, in percent."""

    wait: float
    rest: float
    text: str
    failed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    bars: Sequence[Bar]
    marks: Sequence[Mark]


def figures(first: Call, second: Call, scores: tuple[Sequence[Score], Sequence[Score]]) -> list[PairFigure]:
    """Cost, times, tokens and scores."""
    costs = [call.cost.cost_nanousd if call.cost else None for call in (first, second)]
    lengths = [call.duration_ms if call.is_timed else None for call in (first, second)]
    found = [
        _figure("Cost", (cost_cell(first), cost_cell(second)), costs, money, less_is_better=True),
        _figure("Total", tuple(Cell(duration(ms)) for ms in lengths), lengths, duration, less_is_better=True),
        _figure(
            "First token",
            (ttft_cell(first), ttft_cell(second)),
            (first.ttft_ms, second.ttft_ms),
            duration,
            less_is_better=True,
        ),
    ]
    for name, field, more_is_better in _TOKENS:
        values = [getattr(call.usage, field) for call in (first, second)]
        if values == [None, None] and name not in {"Input", "Output"}:
            continue
        cells = tuple(token_cell(call, value) for call, value in zip((first, second), values, strict=True))
        found.append(_figure(name, cells, values, count, less_is_better=False if more_is_better else None))
    return found + list(_scores(scores))


def times(first: Call, second: Call) -> Times:
    """Both from their beginning on, on one axis."""
    longest = max(first.duration_ms, second.duration_ms, 1)
    bars = []
    for call in (first, second):
        wait = min(call.ttft_ms or 0, call.duration_ms)
        bars.append(
            Bar(
                wait=round(100 * wait / longest, 2),
                rest=round(max(100 * (call.duration_ms - wait) / longest, 0.4), 2),
                text=duration(call.duration_ms if call.is_timed else None),
                failed=call.outcome.status == "error",
            )
        )
    return Times(bars=bars, marks=Axis.over([(0, longest)]).marks())


def _figure(
    name: str,
    cells: Sequence[Cell],
    values: Sequence[int | None],
    say: Callable[[int | None], str],
    *,
    less_is_better: bool | None,
) -> PairFigure:
    before, after = values
    change, css = UNKNOWN, "dim"
    if before is not None and after is not None:
        moved = after - before
        change = f"{'+' if moved > 0 else MINUS}{say(abs(moved))}" if moved else "the same"
        if moved and before and less_is_better:
            change += f", {abs(moved) / before:.0%}" if abs(moved) < 10 * before else ""
        if moved and less_is_better is not None and abs(moved) >= _SMALL * max(before, 1):
            css = "ok" if (moved < 0) == less_is_better else "bad"
        if less_is_better is False and css == "bad":
            css = "dim"
    return PairFigure(name=name, first=cells[0], second=cells[1], change=change, css=css)


def _scores(scores: tuple[Sequence[Score], Sequence[Score]]) -> Sequence[PairFigure]:
    """Each by its name. Which way is better, a score does not say."""
    sides = [{score.name: score.value for score in side} for side in scores]
    found = []
    for name in list(dict.fromkeys([*sides[0], *sides[1]]))[:20]:
        before, after = sides[0].get(name), sides[1].get(name)
        change = UNKNOWN
        if before is not None and after is not None:
            moved = after - before
            change = f"{'+' if moved > 0 else MINUS}{abs(moved):g}" if moved else "the same"
        cells = [Cell(UNKNOWN if value is None else f"{value:g}") for value in (before, after)]
        found.append(PairFigure(name=name[:80], first=cells[0], second=cells[1], change=change, css="dim"))
    return found
