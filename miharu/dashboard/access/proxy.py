"""Whether a proxy stands in front of the process. Behind one, every visitor looks local.

Not every request through a proxy shows it, but one is enough to know: that closes the open door for good.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from miharu.dashboard.access.names import is_local

__all__ = ("PROCESS", "Latch")

_NAMES = frozenset(
    {
        *(b"forwarded", b"via", b"x-real-ip", b"x-client-ip", b"x-cluster-client-ip", b"x-original-host"),
        *(b"x-original-uri", b"x-envoy-external-address", b"true-client-ip", b"fastly-client-ip"),
        *(b"cf-connecting-ip", b"cf-ray", b"cdn-loop"),
    }
)
_TOLD = frozenset({b"host", b"origin", b"referer", b"sec-fetch-site", b"sec-fetch-mode"})
_OLD_HTTP = ("0.9", "1.0", "1")  # granian leaves out a minor version of 0
"""Versions of HTTP that no browser speaks, and nginx spoke to its upstream before 1.29.7."""


class Latch:
    """Remembers that a request has shown a proxy in front of the process; it then stays closed."""

    __slots__ = ("closed",)

    def __init__(self) -> None:
        self.closed = False

    def look(self, scope: Mapping[str, Any]) -> None:
        if not self.closed:
            self.closed = _came_through(scope)


PROCESS = Latch()


def _came_through(scope: Mapping[str, Any]) -> bool:
    if scope.get("http_version", "1.1") in _OLD_HTTP:
        return True
    told, marked = {}, False
    for raw_name, value in scope.get("headers", ()):
        name = raw_name.lower()
        if name in _NAMES or name.startswith((b"x-forwarded-", b"x-original-forwarded-")):
            marked = True
        if name in _TOLD:
            told[name] = value
    if marked:
        return not _a_page_may_have_said_it(told)
    return told.get(b"sec-fetch-site") == b"same-origin" and _speaks_of_another(told)


def _a_page_may_have_said_it(told: Mapping[bytes, bytes]) -> bool:
    """Whether a stranger's page in a local browser can have put such a header, to close the door.

    Only the host's own pages are answered such a request, never the dashboard's (``origin.py``).
    """
    across = told.get(b"sec-fetch-site") in {b"cross-site", b"same-site"}
    return across and told.get(b"sec-fetch-mode") != b"navigate"


def _speaks_of_another(told: Mapping[bytes, bytes]) -> bool:
    """Whether the browser sees another address than the one we were asked by: a proxy has rewritten Host.

    A developer's front-end server on this machine does so as well; that one does not lead to other machines.
    """
    host = told.get(b"host", b"").decode("latin-1").lower()
    for name in (b"origin", b"referer"):
        try:
            page = urlsplit(told.get(name, b"").decode("latin-1")).netloc.lower()
        except ValueError:
            continue
        if page and page != host and not is_local(page):
            return True
    return False
