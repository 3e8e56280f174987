"""A small line beside a figure or in a row."""

from collections.abc import Iterable

from miharu.dashboard.charts.plot import number

__all__ = ("spark",)

_WIDTH, _HEIGHT = 100, 28


def spark(values: Iterable[float | None]) -> tuple[str, str]:
    """The paths (line, area) of a small line from zero, 100 by 28; empty of less than two values."""
    places = list(values)
    known = [(i, value) for i, value in enumerate(places) if value is not None]
    highest = max((value for _, value in known), default=0)
    if len(known) < 2 or highest <= 0:
        return "", ""
    across, up = _WIDTH / (len(places) - 1), (_HEIGHT - 4) / highest
    points = (f"{number(i * across)} {number(_HEIGHT - 2 - value * up)}" for i, value in known)
    line = f"M{' '.join(points)}"
    return line, f"{line}V{_HEIGHT}H{number(known[0][0] * across)}z"
