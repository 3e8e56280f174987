"""``/metrics`` for Prometheus and everything that reads its formats; see ``docs/metrics.md``."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from miharu.dashboard.http.headers import make_page
from miharu.dashboard.http.page import Page, PageRequest, Site
from miharu.dashboard.queries.together import together

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

__all__ = ("page",)

_TEXT = "text/plain; charset=utf-8"
_NEEDED = 'The metrics need prometheus-client, which is not installed: pip install "miharu[metrics]".\n'
_UNABLE = "The metrics need a store that answers Questions.counters(); the one of this database does not.\n"


async def page(request: PageRequest, site: Site) -> Page:
    """All metrics, as text or as OpenMetrics, whichever is asked for."""
    try:
        from prometheus_client import CollectorRegistry
        from prometheus_client.exposition import choose_encoder

        from miharu.dashboard.metrics import calls, health
    except ImportError:
        return make_page(_NEEDED, status=501, content_type=_TEXT)
    try:
        async with together() as ask:
            counters, size = ask(site.store.counters), ask(site.store.size)
    except AttributeError:
        return make_page(_UNABLE, status=501, content_type=_TEXT)
    families = [
        *calls.families(counters.value),
        *(health.process(site.figures()) if site.figures else ()),
        *health.budgets(site.budgets()),
        *health.store(size.value),
    ]
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Made(families))
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    return make_page(encode(registry), content_type=content_type)


class _Made:
    """A collector of what is there already."""

    def __init__(self, families: Iterable["Metric"]) -> None:
        self._families = families

    def collect(self) -> Iterable["Metric"]:
        return self._families
