"""Which doors there are, what is tried at each on each server, and the table of what was seen."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from tests.doors.serving import SERVERS
from tests.doors.visitor import DASHBOARD, HOST

__all__ = ("CASES", "DOORS", "PAGE", "Cell", "Door", "Table", "packages", "page")

SEEN = Path(__file__).parent / "seen.json"
PAGE = Path(__file__).parents[2] / "docs" / "doors.md"
_BEGIN, _END = "<!-- table -->\n", "<!-- /table -->\n"
_ASYNCIO = "the framework itself needs asyncio"


@dataclass(frozen=True)
class Door:
    """A host and the place of the dashboard in it."""

    app: str
    at: str = "/miharu"
    prefix: str = ""
    """What a proxy in front takes away."""
    told: bool = False
    """Whether the server is told of that prefix."""
    cannot: Mapping[str, str] = field(default_factory=dict)
    """What does not work, and why; the test proves that it does not."""
    only_on: tuple[str, ...] = tuple(SERVERS)
    """On these servers."""
    asyncio_only: bool = False
    websocket: bool = True
    lifespan: bool = True

    def cannot_on(self, server: str) -> Mapping[str, str]:
        return self.cannot if server in self.only_on else {}

    @property
    def checks(self) -> list[str]:
        names = [*DASHBOARD, *([] if self.prefix else HOST)]
        left_out = {name for name in ("websocket", "lifespan") if not getattr(self, name)}
        return [name for name in names if name not in left_out]


_STARLETTE_SLASH = (
    "Starlette's own redirect from `/miharu` names no prefix that nobody has told it of: link to `/miharu/`"
)
_INSIDE = "Litestar runs its middleware for its own routes only: wrap the app from outside"
DOORS: dict[str, Door] = {
    "FastAPI, `app.mount`": Door("starlettes:fastapi_mounted"),
    "FastAPI, mounted in a mounted app": Door("starlettes:fastapi_nested", at="/admin/miharu"),
    "FastAPI, `add_middleware(MiharuMiddleware)`": Door("starlettes:fastapi_middleware"),
    "Starlette, `Mount`": Door("starlettes:mounted"),
    "Starlette, nested `Mount`s": Door("starlettes:nested_mounts", at="/admin/miharu"),
    "Starlette, middleware with a path of its own": Door("starlettes:middleware_elsewhere", at="/_ops/llm"),
    "FastAPI, `app.mount`, behind a stripping proxy, the server told": Door(
        "starlettes:fastapi_mounted",
        prefix="/api",
        told=True,
        cannot={"slash": _STARLETTE_SLASH},
        only_on=tuple(name for name in SERVERS if "uvicorn" not in name),
    ),
    "FastAPI, `app.mount`, behind a stripping proxy, `FastAPI(root_path=…)`": Door(
        "starlettes:fastapi_told", prefix="/api", cannot={"slash": _STARLETTE_SLASH}
    ),
    "FastAPI, `app.mount`, behind a stripping proxy, nobody told": Door(
        "starlettes:fastapi_mounted", prefix="/api", cannot={"slash": _STARLETTE_SLASH}
    ),
    "FastAPI, middleware, behind a stripping proxy, the server told": Door(
        "starlettes:fastapi_middleware", prefix="/api", told=True
    ),
    "FastAPI, middleware, behind a stripping proxy, nobody told": Door(
        "starlettes:fastapi_middleware", prefix="/api"
    ),
    "Litestar, `@asgi(is_mount=True)`": Door("litestars:mounted"),
    "Litestar, `MiharuMiddleware` around it": Door("litestars:middleware"),
    "Litestar, `middleware=[…]`": Door(
        "litestars:inner_middleware", cannot=dict.fromkeys(DASHBOARD, _INSIDE)
    ),
    "Quart, `app.asgi_app = MiharuMiddleware(app.asgi_app)`": Door("quarts:middleware", asyncio_only=True),
    "Quart, hypercorn's `DispatcherMiddleware`": Door("quarts:dispatched", asyncio_only=True),
    "Django, `MiharuMiddleware(get_asgi_application())`": Door(
        "djangos:middleware", asyncio_only=True, websocket=False, lifespan=False
    ),
    "Django, dispatcher in `asgi.py`": Door(
        "djangos:dispatched", asyncio_only=True, websocket=False, lifespan=False
    ),
    "Django and the dashboard, mounted in Starlette": Door(
        "djangos:mounted",
        asyncio_only=True,
        websocket=False,
        lifespan=False,
        cannot={"slash": 'Starlette gives `/miharu` to the `Mount("/")` beside it: link to `/miharu/`'},
    ),
    "plain ASGI, a dispatcher that takes the path away": Door("plain:stripping"),
    "plain ASGI, a dispatcher that sets `root_path`": Door("plain:telling"),
    "plain ASGI, `MiharuMiddleware`": Door("plain:middleware"),
}
CASES = [(door, server) for door in DOORS for server in SERVERS]


@dataclass
class Cell:
    """What was seen of one door on one server."""

    right: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    ended_after: float = 0.0
    bare_ended_after: float = 0.0
    """The same server with an app in which there is no dashboard, and with a page that polls as well."""


class Table:
    """Notes what a run has seen, and puts it in the place of what an earlier one has."""

    def __init__(self) -> None:
        self._cells: dict[tuple[str, str], Cell] = {}

    def note(self, door: str, server: str, cell: Cell) -> None:
        self._cells[door, server] = cell

    def save(self, versions: Mapping[str, str]) -> None:
        """Save it; what was seen of other versions counts no more."""
        cells = _seen(versions) | {case: asdict(cell) for case, cell in self._cells.items()}
        lines = ",\n".join(
            json.dumps({"door": case[0], "server": case[1]} | cells[case], ensure_ascii=False)
            for case in CASES
            if case in cells
        )
        SEEN.write_text(f'{{"versions": {json.dumps(versions)},\n"cells": [\n{lines}\n]}}\n')


def _seen(versions: Mapping[str, str]) -> dict[tuple[str, str], dict[str, Any]]:
    seen = json.loads(SEEN.read_text()) if SEEN.exists() else {}
    cells = seen["cells"] if seen.get("versions") == versions else []
    return {(cell["door"], cell["server"]): cell for cell in cells}


def page() -> str:
    """``docs/doors.md`` with the table of what was seen."""
    head, _, rest = PAGE.read_text().partition(_BEGIN)
    return head + _BEGIN + _table() + _END + rest.partition(_END)[2]


def packages() -> tuple[str, ...]:
    return ("fastapi", "starlette", "litestar", "quart", "django", "uvicorn", "hypercorn", "granian")


def _table() -> str:
    seen = json.loads(SEEN.read_text())
    cells = {(cell["door"], cell["server"]): cell for cell in seen["cells"]}
    notes: list[str] = []
    lines = [f"| | {' | '.join(SERVERS)} |", "|---|" + "---|" * len(SERVERS)]
    for name, door in DOORS.items():
        row = [_cell(door, server, cells[name, server], notes) for server in SERVERS]
        lines.append(f"| {name} | {' | '.join(row)} |")
    lines += ["", *(f"{number}. {note}." for number, note in enumerate(notes, 1)), ""]
    ends = [f"{server} {_ended(server, seen['cells'])}" for server in SERVERS]
    lines.append(
        "Seconds from Ctrl-C to the end while a page polls: the median of all doors, the longest, and one "
        f"without a dashboard: {'; '.join(ends)}. The machine was busy with other things meanwhile."
    )
    lines.append("")
    lines.append(f"Versions: {', '.join(f'{name} {version}' for name, version in seen['versions'].items())}.")
    return "\n".join(lines) + "\n"


def _ended(server: str, cells: Sequence[Mapping[str, Any]]) -> str:
    times = [cell["ended_after"] for cell in cells if cell["server"] == server and cell["ended_after"]]
    bare = max(cell["bare_ended_after"] for cell in cells if cell["server"] == server)
    return f"{median(times):.1f}, {max(times):.1f}, {bare:.1f}"


def _cell(door: Door, server: str, cell: Mapping[str, list[str]], notes: list[str]) -> str:
    cannot = door.cannot_on(server)
    if door.asyncio_only and SERVERS[server].trio:
        return f"—{_note(_ASYNCIO, notes)}"
    if surprises := set(cell["wrong"]) ^ set(cannot):
        return f"**{', '.join(sorted(surprises))}**"
    if set(cannot) >= set(DASHBOARD):
        return f"no{_note(next(iter(cannot.values())), notes)}"
    return "yes" + "".join(_note(why, notes) for why in cannot.values())


def _note(text: str, notes: list[str]) -> str:
    if text not in notes:
        notes.append(text)
    return f" ({notes.index(text) + 1})"
