"""The errors: when they came, what broke, grouped by kind and by what it says; rate limits apart."""

from collections.abc import Mapping
from typing import Any

from miharu.dashboard.address.view import View
from miharu.dashboard.http.page import Site
from miharu.dashboard.panels.errors.kinds import failures
from miharu.dashboard.panels.errors.over_time import errors_over_time
from miharu.dashboard.panels.screens import Panel, Screen
from miharu.dashboard.panels.since import flagged
from miharu.dashboard.panels.tables import Sheet
from miharu.dashboard.queries.together import together

__all__ = ("SCREEN", "file")


async def _facts(view: View, site: Site) -> Mapping[str, Any]:
    async with together() as ask:
        kinds = ask(failures, view, site)
        chart = ask(errors_over_time, view, site)
        marks = ask(flagged, view, site, "errors")
    return {**kinds.value, **chart.value, **marks.value}


SCREEN = Screen(
    path="errors",
    template="pages/errors.html",
    panels=(Panel(path="errors-groups", template="panels/errors.html", facts=_facts),),
)


async def file(view: View, site: Site) -> Sheet:
    facts = await failures(view, site)
    columns = (
        *("error_type", "http_status", "message", "calls_read", "calls_of_type"),
        *("first_in_range", "last", "models", "routes", "newest_call", "first_of_type"),
    )
    rows = [
        (
            kind.key,
            " ".join(map(str, kind.statuses)),
            one.text,
            one.calls,
            kind.calls,
            one.first,
            one.last,
            " ".join(name for name, _ in one.models),
            " ".join(f"{method} {path}".strip() for method, path in one.routes),
            one.newest,
            kind.first if kind.is_first else None,
        )
        for kind in (*facts["limited"], *facts["kinds"])
        for one in kind.failures
    ]
    return Sheet("errors", columns, rows)
