"""The one place that knows jinja2, loaded with the first page."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from miharu._version import __version__
from miharu.dashboard.address.ranges import RANGES
from miharu.dashboard.http import assets, reasons
from miharu.dashboard.http.highlight import highlighted
from miharu.dashboard.http.menu import GO_TO, MENU
from miharu.dashboard.markdown import markdown, seen, shown
from miharu.wording import numbers
from miharu.wording.names import model_name

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

__all__ = ("render",)

_FILTERS: Mapping[str, Callable[..., Any]] = {
    "compact": numbers.compact,
    "count": numbers.count,
    "duration": numbers.duration,
    "highlight": lambda text: seen(highlighted(text)),
    "markdown": markdown,
    "shown": shown,
    "instant": numbers.instant,
    "model_name": model_name,
    "iso": lambda ms: datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds"),
    "minute": lambda ms: f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%dT%H:%M}",
    "money": numbers.money,
    "money_change": numbers.money_change,
    "money_parts": numbers.money_parts,
    "rating": numbers.rating,
    "size": numbers.size,
}


def render(template: str, **context: Any) -> "Markup":
    """The page, or a part that can stand in one."""
    from markupsafe import Markup

    reasons.begin(context["panel"].path if "panel" in context else "page")
    return Markup(_environment().get_template(template).render(**context))  # noqa: S704 - it escapes


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(assets.web() / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(_FILTERS)
    environment.globals.update(
        asset=assets.asset_url, version=__version__, pct=numbers.percent, ranges=RANGES
    )
    environment.globals.update(why=reasons.why, reasons=reasons.reasons, menu=MENU, go_to=GO_TO)
    return environment
