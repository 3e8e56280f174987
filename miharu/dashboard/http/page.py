"""What goes into a view and what comes out: no framework, no socket."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from miharu._budget import BudgetState
from miharu.dashboard.address.view import View
from miharu.dashboard.address.zones import zone_of
from miharu.exchange import Exchange
from miharu.stores.base import Questions

if TYPE_CHECKING:
    from miharu.monitor.figures import Stats
    from miharu.providers.base import Provider
    from miharu.recorder.alerts import AlertState

__all__ = ("Page", "PageRequest", "Site")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """A request below the mount, after access was granted."""

    path: str
    """One flat segment, such as ``calls`` or ``static/app.css``; empty for the overview."""
    params: Mapping[str, str] = field(default_factory=dict)
    """The query string."""
    repeated: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The values of names that are given several there, of which ``params`` has the last."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    method: str = "GET"

    @property
    def view(self) -> View:
        """What its address asks for, in days of the visitor's time zone.

        Raises:
            ConditionError: Its conditions are not understood.
        """
        params = self.params
        if self.path == "find":  # there it is what was typed, and may be a part of a name
            params = {name: value for name, value in params.items() if name != "q"}
        return View.read(params, zone_of(self.headers), self.repeated)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A response, whole."""

    body: bytes
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The installation that is shown."""

    store: Questions
    database: str
    """Its name for people, without user and password."""
    access: str
    """Who may see it, in a few words, such as ``local only``."""
    losses: Callable[[], int]
    """How many calls were lost in this process, as of now."""
    clock: Callable[[], int]
    """Unix milliseconds."""
    budgets: Callable[[], Sequence[BudgetState]] = tuple
    """How the budgets stand, as far as this process knows."""
    alerts: "Callable[[], Sequence[AlertState]]" = tuple
    """How the alerts stand that this process looks at."""
    figures: "Callable[[], Stats] | None" = None
    """What this process has recorded; ``None`` where it only looks at the calls of others."""
    formats: "Sequence[Provider]" = ()
    """Wire formats that the program has brought."""
    running: Callable[[], Sequence[Exchange]] | None = None
    """The calls that this process is making right now; ``None`` where it only looks at those of others."""
