"""All alerts: how each stands, and when it began to fire and was over."""

from collections.abc import Hashable

from miharu.dashboard.address.view import View
from miharu.dashboard.http.page import Site
from miharu.dashboard.panels.alerts import alert_list
from miharu.dashboard.panels.screens import Panel, Screen
from miharu.dashboard.panels.tables import Sheet

__all__ = ("SCREEN", "file", "stand")


def stand(site: Site) -> Hashable:
    """What of the alerts is not in the store."""
    return tuple((state.alert.key, state.is_firing, state.text) for state in site.alerts())


SCREEN = Screen(
    path="alerts",
    template="pages/alerts.html",
    panels=(Panel(path="alerts-list", template="panels/alerts.html", facts=alert_list, salt=stand),),
)


async def file(view: View, site: Site) -> Sheet:
    """What happened in the range."""
    facts = await alert_list(view, site)
    rows = [(one.since, one.name, one.state, one.text, one.when, one.over) for one in facts["changes"]]
    return Sheet("alerts", ("at", "alert", "state", "measured", "when", "over"), rows)
