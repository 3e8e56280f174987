"""Where each framework lets a call be made, what a run has seen of it, and the table that is made of that."""

import json
from pathlib import Path

from tests.frameworks.places import AWAITED, LOST, PLACES

__all__ = ("FRAMEWORKS", "SEEN", "Table", "page")

ROOT = Path(__file__).parents[2]
SEEN = Path(__file__).parent / "seen.json"
PAGE = ROOT / "docs" / "attribution.md"
_BEGIN, _END = "<!-- table -->\n", "<!-- /table -->\n"

FRAMEWORKS: dict[str, tuple[str, set[str]]] = {
    "fastapi": ("fastapi", set(PLACES)),
    "starlette": ("starlette", set(PLACES) - {"dependency"}),
    "litestar": ("litestar", set(PLACES)),
    "quart": ("quart", set(PLACES)),
    "django": (
        "django",
        set(PLACES) - {"dependency", "background task", "sync background task", "websocket"},
    ),
    "unknown": ("miharu", {*AWAITED, "streaming response", "websocket"}),
}
"""The package, and the places that it has."""
_NAMES = {"fastapi": "FastAPI", "unknown": "any other ASGI app"}


class Table:
    """Notes what a run has seen, and saves it when it was a whole one."""

    def __init__(self) -> None:
        self._seen: dict[str, dict[str, object]] = {}

    def note(self, framework: str, version: str, place: str, *, known: bool) -> None:
        seen = self._seen.setdefault(framework, {"version": version, "places": {}})
        seen["places"][place] = known  # type: ignore[index]

    def save(self, whole: set[tuple[str, str]]) -> None:
        """Save it, unless only some of the cases were run."""
        done = {(name, place) for name, seen in self._seen.items() for place in seen["places"]}  # type: ignore[attr-defined]
        if done == whole:
            SEEN.write_text(json.dumps(self._seen, indent=1) + "\n")


def page() -> str:
    """``docs/attribution.md`` with the table of what was seen."""
    head, _, rest = PAGE.read_text().partition(_BEGIN)
    return head + _BEGIN + _table() + _END + rest.partition(_END)[2]


def _table() -> str:
    seen = json.loads(SEEN.read_text())
    names = [
        _NAMES.get(name, name.capitalize()) + ("" if name == "unknown" else f" {seen[name]['version']}")
        for name in seen
    ]
    lines = [f"| where the call is made | {' | '.join(names)} |", "|---|" + "---|" * len(names)]
    for place in PLACES:
        cells = [_cell(each["places"].get(place), place) for each in seen.values()]
        lines.append(f"| {f'`{place}`' if '.' in place else place} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(known: bool | None, place: str) -> str:
    if known is None:
        return "—"
    words = "yes" if known else "no"
    return words if known != (place in LOST) else f"**{words}**"
