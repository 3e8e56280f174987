"""Whether a visitor has the token: in the link, in the cookie that the link has left, or in a header."""

from collections.abc import Callable, Mapping
from urllib.parse import quote

from miharu.dashboard.access.interface import ASGI, Interface
from miharu.dashboard.access.names import Hosts, is_local, name_of
from miharu.dashboard.access.refusals import TOO_MANY, Why, locked
from miharu.dashboard.access.secret import (
    cookie_name,
    cookie_value,
    is_short,
    kept,
    same,
    shared_secret,
    token_for,
    token_from,
)
from miharu.dashboard.access.throttle import Guesses
from miharu.dashboard.access.visit import Decision, Visit
from miharu.dashboard.http.notice import notice
from miharu.dashboard.http.page import Page

__all__ = ("LINKS", "Keys")

LINKS = ("link", "link with its host")
"""What is said of how to enter: the token in it is meant to be read in the log."""

_MONTH = 30 * 24 * 3600


class Keys:
    """Checks the tokens that visitors show.

    Args:
        environ: Where a chosen token may be.
        say: Warns, of each thing once.
        guesses: Those of this process.
        interface: The one by which the host calls us.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        say: Callable[[str, str], None],
        guesses: Guesses | None = None,
        interface: Interface = ASGI,
    ) -> None:
        self._interface = interface
        self._environ = environ
        self._say = say
        self._guesses = guesses or Guesses()

    async def check(
        self, visit: Visit, database: str, why: Why = Why.ASKED_FOR, known: Hosts | None = None
    ) -> Decision:
        """Let the visitor in, or give the page that says how to enter, and why it is not open to them.

        Args:
            visit: Who asks.
            database: Its URL, after which the cookie is named.
            why: What is said to a visitor who did not expect to be asked.
            known: By which names, besides local ones, the dashboard may be asked for.
        """
        chosen, secret = token_from(self._environ), shared_secret(database)
        made = "" if chosen and secret else kept(database) or await self._interface.aside(token_for, database)
        if chosen and is_short(chosen):
            self._say("short", "MIHARU_TOKEN is so short that it can be guessed; take 16 characters or more.")
        token = chosen or made
        name, value = cookie_name(database), cookie_value(token, secret or made)
        shown, borne = visit.params.get("token"), visit.bearer
        # A cookie cannot be guessed, so it is looked at first, and a visitor who was let in stays in.
        welcome = any(same(cookie, value) for cookie in _cookies(visit.headers, name))
        if welcome and shown is None:
            return Decision(access="token")
        address = visit.client or ""
        if chosen and (shown or borne) and self._guesses.too_many(address):
            self._say("guesses", f"{address!r} shows many wrong tokens, and has to wait now and then.")
            return Decision(access="token") if welcome else Decision(page=TOO_MANY)
        if shown is not None and same(shown, token):
            return Decision(page=_let_in(visit, f"{name}={value}"))
        if welcome or (borne is not None and same(borne, token)):
            return Decision(access="token")
        if chosen:
            for wrong in filter(None, (shown, borne)):
                self._guesses.note(address, wrong)
        origin = _origin(visit, known)
        self._say(
            LINKS[bool(origin)],
            f"the dashboard asks for a token here. Open {origin}{quote(visit.base)}?token="
            f"{'<the value of MIHARU_TOKEN>' if chosen else token} once in each browser.",
        )
        return Decision(page=locked(why, wrong=shown is not None))


def _origin(visit: Visit, known: Hosts | None) -> str:
    """The beginning of the dashboard's address, where that is sure: a visitor may send any name for ours."""
    server = visit.scope.get("server") or (None,)
    ours = name_of(visit.host).strip("[]") == server[0]
    if not visit.host or not (ours or is_local(visit.host) or visit.host in (known or ())):
        return ""
    return f"{'https' if _is_encrypted(visit) else 'http'}://{visit.host}"


def _is_encrypted(visit: Visit) -> bool:
    outside = visit.headers.get("x-forwarded-proto", "").partition(",")[0].strip()
    return "https" in {visit.scope.get("scheme"), outside}


def _let_in(visit: Visit, cookie: str) -> Page:
    attributes = f"{cookie}; Max-Age={_MONTH}; HttpOnly; SameSite=Strict"
    if _is_encrypted(visit):
        attributes += "; Secure"
    headers = (("Set-Cookie", attributes),)
    # A browser that follows a link from another site (a log viewer, a chat) sends no Strict cookie through
    # a redirect, so there our own page makes the second step.
    if visit.headers.get("sec-fetch-site") in {"cross-site", "same-site"}:
        return notice(200, "Welcome", '<a href="./">Open the dashboard</a>', headers=headers, onward="./")
    return notice(
        303, "Welcome", '<a href="./">Open the dashboard</a>', headers=(("Location", "./"), *headers)
    )


def _cookies(headers: Mapping[str, str], name: str) -> list[str]:
    pairs = (part.strip().partition("=") for part in headers.get("cookie", "").split(";"))
    return [value for key, _, value in pairs if key == name]
