"""Who may see the dashboard: a decision over the facts of one request, with no framework in it.

    off         every visitor
    a callable  a visitor whom the host's own function lets in
    token       a visitor who opened the link that miharu logged
    auto        a local visitor of a developer's process; any other needs the token
    local       as auto, but the process need not have a terminal (``miharu dashboard``)

In every mode a browser is refused that asks on behalf of another site (``origin.py``), and one that may have
been led here under a stranger's name (``names.py``). A visitor is local who comes from a loopback address,
asks for a local name, is not another user of the machine (``local_user.py``) and comes through no proxy
(``proxy.py``). So is a test client, which calls the application without a socket (``clients.py``).
"""

import inspect
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Literal, cast

from miharu.config import AuthMode, auth_mode
from miharu.dashboard.access.clients import is_test_client, is_test_name
from miharu.dashboard.access.interface import ASGI, Interface
from miharu.dashboard.access.local_user import is_strangers
from miharu.dashboard.access.login import LINKS, Keys
from miharu.dashboard.access.names import Hosts, hosts_from, is_local, is_loopback, may_be_rebound
from miharu.dashboard.access.origin import asks_for_another
from miharu.dashboard.access.proxy import PROCESS, Latch
from miharu.dashboard.access.refusals import FOREIGN, TURNED_AWAY, UNKNOWN_NAME, Why
from miharu.dashboard.access.scraper import Scrapers
from miharu.dashboard.access.throttle import Guesses
from miharu.dashboard.access.visit import Decision, Visit
from miharu.errors import ConfigError
from miharu.redaction.logs import LINK

__all__ = ("PROCESS", "Access", "Auth")

Auth = AuthMode | Callable[[Any], bool | Awaitable[bool]]
"""A mode, or a function of the ASGI scope, whose type each framework has a name of its own for."""

_PLATFORMS = (
    *("KUBERNETES_SERVICE_HOST", "DYNO", "FLY_APP_NAME", "K_SERVICE", "AWS_EXECUTION_ENV", "GAE_ENV"),
    *("ECS_CONTAINER_METADATA_URI_V4", "WEBSITE_SITE_NAME", "RENDER", "RAILWAY_ENVIRONMENT"),
    *("CODESPACES", "GITPOD_WORKSPACE_ID"),
)

_log = logging.getLogger("miharu")


class Access:
    """Decides who may see the dashboard, for each request.

    Args:
        auth: A mode, or the host's own function of the ASGI scope.
        allowed_hosts: The names, besides local ones, by which the dashboard may be asked for; by default
            those in ``MIHARU_ALLOWED_HOSTS``, and where there are none either, what the mode allows.
        metrics_token: What opens ``/metrics`` to a scraper, and nothing else, in every mode; by default
            ``MIHARU_METRICS_TOKEN``.
        fallback: What ``auto`` means here.
        interface: The one by which the host calls us.

    Raises:
        ConfigError: ``auth`` is neither a mode nor callable, or a host or the token is not valid.
    """

    def __init__(
        self,
        auth: Auth = "auto",
        allowed_hosts: Iterable[str] = (),
        *,
        metrics_token: str | None = None,
        fallback: Literal["auto", "local", "token"] = "auto",
        environ: Mapping[str, str] = os.environ,
        terminal: Callable[[], bool] | None = None,
        latch: Latch = PROCESS,
        strangers: Callable[[Mapping[str, Any]], bool] = is_strangers,
        guesses: Guesses | None = None,
        interface: Interface = ASGI,
    ) -> None:
        if not callable(auth):
            auth_mode(auth, {})
        elif not _takes_a_scope(auth):
            raise ConfigError(f"auth={auth!r}: give a function of one argument, {interface.request}.", "auth")
        self._interface = interface
        self._auth = auth
        self._allowed = Hosts(allowed_hosts)
        self._fallback = fallback
        self._environ = environ
        self._terminal = terminal or _has_terminal
        self._latch = latch
        self._strangers = strangers
        self._keys = Keys(environ, self._say, guesses, interface)
        self._scrapers = Scrapers(metrics_token, environ, self._say, guesses)
        self._said: set[str] = set()

    async def decide(self, visit: Visit, database: str) -> Decision:
        """Welcome the visitor, or say what to send instead; ``database`` is the URL of what is shown."""
        self._latch.look(visit.scope)
        if (scraper := self._scrapers.decide(visit)) is not None:
            return scraper
        if asks_for_another(visit.headers):
            return Decision(page=FOREIGN)
        allowed = self._hosts()
        mode = self.mode() if isinstance(self._auth, str) else None
        if not self._may_be_meant(visit, allowed, mode):
            return Decision(page=UNKNOWN_NAME)
        if mode is None:
            return await self._ask(visit.scope)
        if mode == "off":
            return Decision(access="open")
        why = Why.ASKED_FOR if mode == "token" else await self._why_not_local(visit, mode, allowed)
        return (
            Decision(access="local only")
            if why is None
            else await self._keys.check(visit, database, why, allowed)
        )

    def mode(self) -> Literal["auto", "local", "token", "off"]:
        """The mode as of now: the environment may have been read from a file after the app was built."""
        try:
            mode = auth_mode(cast("str", self._auth), self._environ)
        except ConfigError as error:
            self._say("mode", f"{error} Until then the dashboard asks for a token.")
            return "token"
        return self._fallback if mode == "auto" else mode

    def _hosts(self) -> Hosts:
        if self._allowed:
            return self._allowed
        try:
            return Hosts(hosts_from(self._environ))
        except ConfigError as error:
            self._say("hosts", f"MIHARU_ALLOWED_HOSTS: {error} Until then only localhost is allowed.")
            return Hosts(["localhost"])

    def _may_be_meant(self, visit: Visit, allowed: Hosts, mode: str | None) -> bool:
        """Whether the dashboard is known by that name; without ``allowed_hosts`` an open one is careful."""
        if allowed:
            return _is_named_locally(visit) or visit.host in allowed
        return mode != "off" or not may_be_rebound(visit.host, visit.client, visit.headers)

    async def _why_not_local(
        self, visit: Visit, mode: Literal["auto", "local"], allowed: Hosts
    ) -> Why | None:
        testing = is_test_client(visit.scope)
        if self._latch.closed:
            return Why.PROXY
        if not (testing or is_loopback(visit.client)):
            return Why.FAR
        if not (_is_named_locally(visit) or visit.host in allowed):
            return Why.NAME
        if mode == "auto" and _on_a_server_platform(self._environ):
            return Why.SERVER
        if mode == "auto" and not (testing or self._terminal()):
            return Why.NO_TERMINAL
        is_stranger = not testing and await self._interface.aside(self._strangers, visit.scope)
        return Why.STRANGER if is_stranger else None

    async def _ask(self, scope: Mapping[str, Any]) -> Decision:
        answer = cast("Callable[[Any], Any]", self._auth)(self._interface.given(scope))
        if inspect.isawaitable(answer):
            answer = await answer
        if answer is True:
            return Decision(access="custom")
        if answer:  # a redirect to the login page is true as well
            self._say("answer", f"auth= answers {type(answer).__name__}; only True lets a visitor in.")
        return Decision(page=TURNED_AWAY)

    def _say(self, about: str, text: str) -> None:
        """Log each message once, and no link without a host after one with it."""
        without_host, whole = LINKS
        if about not in self._said and not (about == without_host and whole in self._said):
            self._said.add(about)
            _log.warning("miharu: %s", text, extra={LINK: about in LINKS})


def _is_named_locally(visit: Visit) -> bool:
    return is_local(visit.host) or (is_test_name(visit.host) and is_test_client(visit.scope))


def _takes_a_scope(function: Callable[..., object]) -> bool:
    try:
        inspect.signature(function).bind({})
    except TypeError:
        return False
    except ValueError:  # some functions written in C do not say
        return True
    return True


def _has_terminal() -> bool:
    try:
        return sys.stderr.isatty()
    except (AttributeError, ValueError):  # there is none, or it is closed
        return False


def _on_a_server_platform(environ: Mapping[str, str]) -> bool:
    return any(environ.get(name) for name in _PLATFORMS) or any(
        name.endswith("_ENV") and value.lower() == "production" for name, value in environ.items()
    )
