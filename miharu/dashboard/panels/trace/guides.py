"""The lines beside a row: how deep it lies, and how an error came up through it."""

from collections.abc import Sequence

from miharu.dashboard.panels.trace.outline import Row

__all__ = ("guides",)

_CSS = ("", "h", "e")


def guides(row: Row) -> Sequence[tuple[str, str]]:
    """(class, path) of each kind of line, in units of a level's width and a row's height."""
    if not row.depth:
        return ()
    paths: dict[int, list[str]] = {0: [], 1: [], 2: []}
    last = row.depth - 1
    for level, style in enumerate(row.lines[:-1]):
        if style >= 0:
            paths[style].append(f"M{level}.5 0V1")
    below = row.lines[-1]
    paths[max(row.own, below)].append(f"M{last}.5 0V.5")
    paths[row.own].append(f"M{last}.5 .5H{last}.92")
    if below >= 0:
        paths[below].append(f"M{last}.5 .5V1")
    return [(_CSS[style], "".join(parts)) for style, parts in paths.items() if parts]
