"""The pages for visitors who are not let in. Each says what to do, and shows nothing else."""

from enum import Enum
from functools import cache

from miharu.dashboard.access.throttle import WINDOW_S
from miharu.dashboard.http.notice import notice
from miharu.dashboard.http.page import Page

__all__ = ("FOREIGN", "TOO_MANY", "TURNED_AWAY", "UNKNOWN_NAME", "Why", "locked")


class Why(Enum):
    """Why a token is asked for, in a sentence for a visitor who did not expect it."""

    ASKED_FOR = ""
    PROXY = (
        "Why: a request has come through a proxy, and behind a proxy all visitors seem to be local. "
        "This holds until the program is started again."
    )
    FAR = "Why: your request comes from another machine, or from or to a container."
    NAME = "Why: it was requested under another name than <code>localhost</code>."
    SERVER = "Why: the environment of this program says that it runs on a server."
    NO_TERMINAL = (
        "Why: this program has no terminal, as in an editor's run window, in the background or in a service."
    )
    STRANGER = (
        "Why: the request came from a process of another user of this machine, like those of a reverse "
        "proxy. If that was your own browser, the program runs as another user than you."
    )


_HOW_TO_ENTER = (
    (
        "Open the link in the log of this program: the line begins with "
        "<code>miharu: the dashboard asks for a token</code> and has the link, or the path to put after the "
        "address of this site. The browser remembers it."
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
FOREIGN = notice(
    403,
    "Not from another site",
    "A page of another site asked for this one. Open the dashboard's address in a tab of its own.",
)
UNKNOWN_NAME = notice(
    403,
    "Not by this name",
    "The dashboard was requested under a name that it does not know, as a page of a stranger might do. "
    "Open it as <code>localhost</code>, or allow the name: <code>miharu.asgi(allowed_hosts=[…])</code> or "
    "<code>MIHARU_ALLOWED_HOSTS</code>.",
)
TOO_MANY = notice(
    429,
    "Too many wrong tokens",
    "Wait for a minute, then open the right link.",
    headers=(("Retry-After", f"{WINDOW_S:.0f}"),),
)
TURNED_AWAY = notice(
    403,
    "This dashboard is not open to you",
    "The program that runs it decides who may see it, by the function given as <code>auth=</code>. "
    "Sign in to that program first.",
)


@cache
def locked(why: Why = Why.ASKED_FOR, *, wrong: bool = False) -> Page:
    """The page that says how to enter."""
    title = "That is not the token" if wrong else "This dashboard asks for a token"
    return notice(403, title, *_HOW_TO_ENTER, *filter(None, [why.value]), asks_for_token=True)
