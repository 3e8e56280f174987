"""What is on screen as a file: CSV for spreadsheets, JSON for programs."""

import csv
import io
import json
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

from miharu.dashboard.address.ranges import write_instant
from miharu.dashboard.address.view import View
from miharu.dashboard.http.headers import make_page
from miharu.dashboard.http.page import Page, PageRequest, Site
from miharu.dashboard.pages import (
    alerts,
    calls,
    compare,
    errors,
    live,
    models,
    overview,
    prompts,
    routes,
    sessions,
    tags,
    tools,
    users,
)
from miharu.dashboard.panels.screens import of_page
from miharu.dashboard.panels.tables import Sheet, Value
from miharu.dashboard.queries.lookback import within_reach
from miharu.dashboard.queries.markers import with_marker

__all__ = ("FILES", "as_csv", "as_json", "in_cell")

FILES: Mapping[str, Callable[[View, Site], Awaitable[Sheet]]] = {
    "overview": overview.file,
    "live": live.file,
    "calls": calls.file,
    "routes": routes.file,
    "models": models.file,
    "users": users.file,
    "tags": tags.file,
    "tools": tools.file,
    "prompts": prompts.file,
    "sessions": sessions.file,
    "errors": errors.file,
    "alerts": alerts.file,
    "compare": compare.file,
}
T = TypeVar("T")
_STEP = 100
"""Rows between two pauses."""
_FORMULA = re.compile("[\\s\ufeff\u200b-\u200f\u2060]*[-=+@\uff0d\uff1d\uff0b\uff20]|[ \xa0\ufeff]*[\t\r\n]")
"""How a cell begins that a spreadsheet may take for a formula, whatever space stands before it."""


async def as_csv(request: PageRequest, site: Site) -> Page:
    sheet = await _sheet(request, site)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(map(in_cell, sheet.columns))  # one may be the name of a tag
    writer.writerows([in_cell(value) for value in row] for row in _in_steps(sheet.rows))
    return _file(text.getvalue(), "text/csv; charset=utf-8", f"{_name(sheet)}.csv", site)


async def as_json(request: PageRequest, site: Site) -> Page:
    sheet = await _sheet(request, site)
    view = await within_reach(await with_marker(request.view, site), site)
    window = view.window(site.clock())
    document = {
        "of": sheet.name,
        "from": write_instant(max(window.start, view.since or 0)),
        "to": write_instant(window.end),
        "filters": view.filters | ({} if view.q is None else {"q": view.q}),
        **(sheet.more or {}),
    }
    rows = ",\n  ".join(
        json.dumps(dict(zip(sheet.columns, map(_plain, row), strict=True)), ensure_ascii=False)
        for row in _in_steps(sheet.rows)
    )
    head = json.dumps(document, indent=1, ensure_ascii=False).removesuffix("\n}")
    text = f'{head},\n "rows": [\n  {rows}\n ]\n}}'
    return _file(text, "application/json", f"{_name(sheet)}.json", site)


def _in_steps(rows: Iterable[T]) -> Iterator[T]:
    """Each row, with the interpreter's lock given up now and then: the host has work of its own."""
    for number, row in enumerate(rows, 1):
        if not number % _STEP:
            time.sleep(0)
        yield row


def _name(sheet: Sheet) -> str:
    """With how much of it this is, where it is not all: a table has no place to say so."""
    more = sheet.more or {}
    is_part = more.get("next_before") or more.get("left_out")
    return f"{sheet.name}-first-{len(sheet.rows)}" if is_part else sheet.name


def in_cell(value: Value) -> str | int | float:
    """What a spreadsheet takes for a number or a text, and never for a formula."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if not isinstance(value, str):
        return value
    text = value.replace("\0", "")
    return f"'{text}" if _FORMULA.match(text) else text


async def _sheet(request: PageRequest, site: Site) -> Sheet:
    name = request.params.get("of", "")
    view = of_page(await with_marker(request.view, site), name)
    return await FILES.get(name, overview.file)(await within_reach(view, site), site)


def _plain(value: Value) -> Any:
    # Money as text: a program that reads it as a binary fraction would lose digits.
    return f"{value:f}" if isinstance(value, Decimal) else value


def _file(text: str, content_type: str, name: str, site: Site) -> Page:
    day = datetime.fromtimestamp(site.clock() / 1000, UTC)
    disposition = f'attachment; filename="miharu-{day:%Y-%m-%d}-{name}"'
    return make_page(text, content_type=content_type, extra=(("Content-Disposition", disposition),))
