"""Whether a browser asks on behalf of a page of another site, which must not read ours.

The host may put ``Access-Control-Allow-Origin: *`` over everything; so such a request is not answered at all.
"""

from collections.abc import Mapping

__all__ = ("asks_for_another",)


def asks_for_another(headers: Mapping[str, str]) -> bool:
    """Whether another site's page asks, by headers in lower case; a visitor who follows a link is let in."""
    site = headers.get("sec-fetch-site", "")
    if site in {"cross-site", "same-site"}:
        return headers.get("sec-fetch-mode") != "navigate" or headers.get("sec-fetch-dest") != "document"
    origin = headers.get("origin")
    # A proxy may rewrite Host; then the browser's own word counts.
    if origin is None or site == "same-origin":
        return False
    return origin.partition("://")[2].lower() != headers.get("host", "").lower()
