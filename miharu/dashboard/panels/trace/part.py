"""A part of a run's time: what overlaps it, what lies outside, and the line by which it is chosen."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

from miharu.analysis.trees import Node, overlapping, walk
from miharu.dashboard.address.view import View
from miharu.dashboard.charts.axis import Axis
from miharu.wording.numbers import counted

__all__ = ("WHOLE", "Part", "counts", "line_data", "narrowed", "quarters")

WHOLE: dict[str, Any] = {"part_start": None, "part_end": None, "page": 1}
"""What changes in an address to see the whole run."""
_STEPS = 120
"""Steps of the line, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What is shown of a run that is zoomed in."""

    start: int
    end: int
    left: float
    """Where it lies in the whole, in percent."""
    width: float
    outside: str
    """What is hidden, in words."""
    whole: str
    """The link to all of it."""


def narrowed(trees: Sequence[Node], axis: Axis, view: View) -> tuple[Sequence[Node], Axis, Part | None]:
    """The trees, and the axis, of the part that the address names; all of them where it names none."""
    start, end = view.part_start, view.part_end
    if start is None or end is None:
        return trees, axis, None
    inside = overlapping(trees, start, end)
    worked = [
        (max(start, node.start), min(end, max(node.end, node.start + 1)))
        for _, node in walk(inside)
        if node.overlaps(start, end)
    ]
    left, width = axis.bar(start, end - start)
    *hidden, errors = (all_ - shown for all_, shown in zip(counts(trees), counts(inside), strict=True))
    words = zip(hidden, ("call", "tool", "step"), strict=True)
    outside = ", ".join(counted(number, word) for number, word in words if number)
    part = Part(
        start=start,
        end=end,
        left=left,
        width=width,
        outside=f"{outside}, with {counted(errors, 'error')}" if errors else outside,
        whole=view.link("sessions", **WHOLE),
    )
    return inside, Axis.over(worked or [(start, end)]), part


def counts(trees: Sequence[Node]) -> tuple[int, int, int, int]:
    """Calls, tools, steps, and errors where they began."""
    return (
        sum(node.number_of_calls for node in trees),
        sum(node.number_of_tools for node in trees),
        sum(node.number_of_steps for node in trees),
        sum(node.errors for node in trees),
    )


def line_data(trees: Sequence[Node], axis: Axis, began: int | None) -> dict[str, Any]:
    """For the script: the steps of the line, how much ran in each, and since when it counts.

    Args:
        trees: What is drawn.
        axis: On which it is drawn.
        began: When the run began, where moments are told from there on.
    """
    steps = max(1, min(_STEPS, axis.pieces[-1].end - axis.pieces[0].start))
    *times, end = [axis.moment(100 * step / steps) for step in range(steps + 1)]
    nodes = [node for _, node in walk(trees)]
    calls = _running([node for node in nodes if node.call is not None], axis, steps)
    tools = _running([node for node in nodes if node.is_tool], axis, steps)
    return {
        "t": times,
        "end": end,
        "began": began,
        "calls": calls,
        "counted": "calls",
        "series": [{"n": "tools", "c": "k-tool", "v": [number or None for number in tools], "unit": ""}],
    }


def quarters(axis: Axis, view: View) -> list[tuple[int, int, str]]:
    """Each quarter of the line, with the link that zooms into it: for a page without scripts."""
    edges = [axis.moment(at) for at in (0, 25, 50, 75, 100)]
    return [
        (start, end, view.link("sessions", part_start=start, part_end=end, sel=None, page=1))
        for start, end in pairwise(edges)
        if start < end
    ]


def _running(nodes: Iterable[Node], axis: Axis, steps: int) -> list[int]:
    """How many of them ran in each step."""
    changes = [0] * (steps + 1)
    for node in nodes:
        first = min(steps - 1, int(axis.at(node.start) * steps / 100))
        changes[first] += 1
        changes[max(first + 1, min(steps, int(axis.at(node.end) * steps / 100) + 1))] -= 1
    return list(accumulate(changes[:-1]))
