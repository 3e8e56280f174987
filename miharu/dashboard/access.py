"""Who may see the dashboard: a decision over the facts of one request, with no framework in it.

    off         everybody
    a callable  whoever the host's own function lets in
    token       whoever opened the link that miharu logged
    auto        a local visitor of a developer's process; anybody else needs the token
    local       as auto, but the process need not have a terminal (``miharu dashboard``)

In every mode a browser is refused that asks on behalf of another site, because the host may send
``Access-Control-Allow-Origin: *`` over the page's head.
"""

import inspect
import ipaddress
import logging
import os
import re
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import quote

from miharu.config import AuthMode, auth_mode
from miharu.dashboard.notices import notice
from miharu.dashboard.page import Page
from miharu.dashboard.tokens import cookie_name, cookie_value, same, token_for, token_from
from miharu.errors import ConfigError

__all__ = ("PROCESS", "Access", "Auth", "Decision", "Latch", "Visit", "is_loopback")

Auth = AuthMode | Callable[[Mapping[str, Any]], bool | Awaitable[bool]]

_LOCAL_HOST = re.compile(
    r"(localhost|127\.0\.0\.1|\[::1\]|testserver|([a-z0-9_-]+\.)+localhost)(:\d{1,5})?", re.IGNORECASE
)
_TEST_HOST = re.compile(r"testserver\.local(:\d{1,5})?")
_TEST_CLIENT = "testclient"
_PLATFORMS = ("KUBERNETES_SERVICE_HOST", "DYNO", "FLY_APP_NAME", "K_SERVICE", "AWS_EXECUTION_ENV")
_MONTH = 30 * 24 * 3600

_log = logging.getLogger("miharu")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What a request shows of its visitor."""

    scope: Mapping[str, Any]
    """The host's own, for the host's own function."""
    headers: Mapping[str, str]
    """Names in lower case."""
    params: Mapping[str, str]
    base: str
    """The path of the dashboard as the visitor sees it, with a slash at the end."""

    @property
    def client(self) -> str | None:
        """The address; ``None`` over a Unix socket, behind which stands a proxy."""
        client = self.scope.get("client")
        return str(client[0]) if client else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Welcome, or a page to send in place of the one that was asked for."""

    access: str = ""
    """Who may see the dashboard, in a few words."""
    page: Page | None = None


class Latch:
    """Closes the open door for good, once a request has shown that the process stands behind a proxy.

    Not every request through a proxy shows it, but one is enough to know.
    """

    __slots__ = ("closed",)

    def __init__(self) -> None:
        self.closed = False

    def look(self, scope: Mapping[str, Any]) -> None:
        if not self.closed:
            self.closed = _old_http(scope) or _was_forwarded(name for name, _ in scope.get("headers", ()))


PROCESS = Latch()


class Access:
    """Decides on each visit.

    Args:
        auth: A mode, or the host's own function of the ASGI scope.
        fallback: What ``auto`` means here.

    Raises:
        ConfigError: ``auth`` is neither a mode nor callable.
    """

    def __init__(
        self,
        auth: Auth = "auto",
        *,
        fallback: Literal["auto", "local", "token"] = "auto",
        environ: Mapping[str, str] = os.environ,
        terminal: Callable[[], bool] | None = None,
        latch: Latch = PROCESS,
    ) -> None:
        if not callable(auth):
            auth_mode(auth, {})
        self._auth = auth
        self._fallback = fallback
        self._environ = environ
        self._terminal = terminal or _has_terminal
        self._latch = latch
        self._link_logged = False
        self._complained = False

    async def decide(self, visit: Visit, database: str, file: Path | None) -> Decision:
        """Welcome the visitor, or say what to send instead.

        The cookie is named after the URL of the database; where that is a file, the token is kept beside it.
        """
        self._latch.look(visit.scope)
        if _on_behalf_of_another_site(visit):
            return Decision(page=_FOREIGN)
        if not isinstance(self._auth, str):
            return await _ask(self._auth, visit.scope)
        mode = self.mode()
        if mode == "off":
            return Decision(access="open")
        if mode != "token" and self._is_local(visit, mode):
            return Decision(access="local only")
        return await self._check_token(visit, database, file)

    def mode(self) -> Literal["auto", "local", "token", "off"]:
        """The mode as of now: the environment may have been read from a file after the app was built."""
        try:
            mode = auth_mode(cast("str", self._auth), self._environ)
        except ConfigError as nonsense:
            if not self._complained:
                self._complained = True
                _log.warning("miharu: %s Until then the dashboard asks for a token.", nonsense)
            return "token"
        return self._fallback if mode == "auto" else mode

    def _is_local(self, visit: Visit, mode: Literal["auto", "local"]) -> bool:
        testing = visit.client == _TEST_CLIENT
        host = visit.headers.get("host", "")
        return (
            (testing or is_loopback(visit.client))
            and bool(_LOCAL_HOST.fullmatch(host) or (testing and _TEST_HOST.fullmatch(host)))
            and not self._latch.closed
            and (
                mode == "local"
                or ((testing or self._terminal()) and not _on_a_server_platform(self._environ))
            )
        )

    async def _check_token(self, visit: Visit, database: str, file: Path | None) -> Decision:
        chosen = token_from(self._environ)
        if chosen:
            token = chosen
        else:
            from anyio import to_thread

            token = await to_thread.run_sync(token_for, file)
        name, value = cookie_name(database), cookie_value(token)
        shown = visit.params.get("token")
        if shown is not None and same(shown, token):
            return Decision(page=_let_in(visit, f"{name}={value}"))
        if any(same(cookie, value) for cookie in _cookies(visit.headers, name)):
            return Decision(access="token")
        scheme, _, bearer = visit.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and same(bearer.strip(), token):
            return Decision(access="token")
        self._log_link(visit.base, None if chosen else token)
        return Decision(page=_LOCKED if shown is None else _WRONG)

    def _log_link(self, base: str, token: str | None) -> None:
        if not self._link_logged:
            self._link_logged = True
            _log.warning(
                "miharu: the dashboard asks for a token here. Open %s?token=%s once in each browser.",
                quote(base),
                token or "<the value of MIHARU_TOKEN>",
            )


_HOW_TO_ENTER = (
    (
        "Open the link in the log of this program: the line begins with "
        "<code>miharu: the dashboard asks for a token</code> and names a path to put after the address of "
        "this site. The browser remembers it."
    ),
    (
        "Where <code>MIHARU_TOKEN</code> is set, add <code>?token=</code> and its value "
        "to the address of the dashboard."
    ),
    (
        "To let your own users in instead, pass a function: <code>miharu.asgi(auth=…)</code>. "
        'On a machine that only you can reach, <code>auth="off"</code> opens it.'
    ),
)
_LOCKED = notice(403, "This dashboard asks for a token", *_HOW_TO_ENTER, asks_for_token=True)
_WRONG = notice(403, "That is not the token", *_HOW_TO_ENTER, asks_for_token=True)
_FOREIGN = notice(
    403,
    "Not from another site",
    "A page of another site asked for this one. Open the dashboard's address in a tab of its own.",
)
_TURNED_AWAY = notice(
    403,
    "This dashboard is not open to you",
    "The program that runs it decides who may see it, by the function given as <code>auth=</code>. "
    "Sign in to that program first.",
)


async def _ask(
    auth: Callable[[Mapping[str, Any]], bool | Awaitable[bool]], scope: Mapping[str, Any]
) -> Decision:
    answer = auth(scope)
    if inspect.isawaitable(answer):
        answer = await answer
    return Decision(access="custom") if answer else Decision(page=_TURNED_AWAY)


def _let_in(visit: Visit, cookie: str) -> Page:
    attributes = f"{cookie}; Max-Age={_MONTH}; HttpOnly; SameSite=Strict"
    if visit.scope.get("scheme") == "https":
        attributes += "; Secure"
    headers = (("Set-Cookie", attributes),)
    # A browser that follows a link from another site (a log viewer, a chat) sends no Strict cookie through
    # a redirect, so there our own page makes the second step.
    if visit.headers.get("sec-fetch-site") in {"cross-site", "same-site"}:
        return notice(200, "Welcome", '<a href="./">Open the dashboard</a>', headers=headers, onward="./")
    return notice(
        303, "Welcome", '<a href="./">Open the dashboard</a>', headers=(("Location", "./"), *headers)
    )


def _on_behalf_of_another_site(visit: Visit) -> bool:
    headers = visit.headers
    site = headers.get("sec-fetch-site", "")
    if site in {"cross-site", "same-site"}:
        return headers.get("sec-fetch-mode") != "navigate" or headers.get("sec-fetch-dest") != "document"
    origin = headers.get("origin")
    # A proxy may rewrite Host; then the browser's own word counts.
    if origin is None or site == "same-origin":
        return False
    return origin.partition("://")[2].lower() != headers.get("host", "").lower()


def is_loopback(address: str | None) -> bool:
    """Whether this address of a visitor, or of a server's socket, is reached from this machine alone."""
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    return (getattr(ip, "ipv4_mapped", None) or ip).is_loopback


def _old_http(scope: Mapping[str, Any]) -> bool:
    """Whether it is HTTP/1.0, which no browser speaks and which nginx spoke to its upstream before 1.29.7."""
    return scope.get("http_version", "1.1") in {"1.0", "0.9"}


def _was_forwarded(names: Iterable[bytes]) -> bool:
    return any(
        name in {b"forwarded", b"via", b"x-real-ip"} or name.startswith(b"x-forwarded-")
        for name in map(bytes.lower, names)
    )


def _has_terminal() -> bool:
    try:
        return sys.stderr.isatty()
    except (AttributeError, ValueError):  # there is none, or it is closed
        return False


def _on_a_server_platform(environ: Mapping[str, str]) -> bool:
    return any(environ.get(name) for name in _PLATFORMS) or any(
        name.endswith("_ENV") and value.lower() == "production" for name, value in environ.items()
    )


def _cookies(headers: Mapping[str, str], name: str) -> list[str]:
    pairs = (part.strip().partition("=") for part in headers.get("cookie", "").split(";"))
    return [value for key, _, value in pairs if key == name]
