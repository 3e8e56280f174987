"""The one place that knows jinja2, loaded with the first page."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from miharu._version import __version__
from miharu.dashboard import assets, format  # noqa: A004 - named for what it holds
from miharu.dashboard.query import RANGES

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ("render",)

_FILTERS: Mapping[str, Callable[..., str]] = {
    "compact": format.compact,
    "count": format.count,
    "duration": format.duration,
    "instant": format.instant,
    "iso": lambda ms: datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds"),
    "money": format.money,
}


def render(template: str, **context: Any) -> str:
    return _environment().get_template(template).render(**context)


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
    environment.globals.update(asset=assets.asset_url, version=__version__, pct=format.percent, ranges=RANGES)
    return environment
