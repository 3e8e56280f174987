"""A database's address as it may be shown: neither user nor password, however it was mistyped."""

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, unquote

__all__ = ("HIDDEN", "may_be_address", "public_address", "public_path", "secrets_in", "secrets_of_hook")

HIDDEN = "…"
_ADDRESS = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9_+.-]{0,30})://(?P<rest>.*)", re.DOTALL)
_HOST = r"(?:\[[0-9a-fA-F:.%]+\]|[\w.-]++)(?::\d{1,5})?"
_SERVER = re.compile(rf"(?:{_HOST}(?:,{_HOST})*+)?(?:/[^?#@:;=&\s]*)?", re.ASCII)
_SCHEMES = (
    r"(?:sqlite|postgres|postgresql|pg|pgsql|psql|clickhouses?|mysql|mariadb|redis|mongodb|jdbc|https?)"
)
_MISTYPED = re.compile(
    # user:password@, or what begins like an address, or as libpq writes it in words
    rf".*[:;].*@|.*%40|{_SCHEMES}(?:\+\w+)?\s*(?:[:;=]|//|\\\\).*|.*@.*[:/].*"
    r"|.*(?:pass|password|passwd|pwd|passfile|token|secret|key)\s*(?:=|%3D).*",
    re.IGNORECASE | re.DOTALL,
)
_USER = re.compile(r".*[:;].*(?:@|%40)", re.DOTALL)


def public_address(url: str) -> str:
    """Its scheme, host and name; what is not written as an address is hidden as a whole."""
    found = _ADDRESS.fullmatch(url)
    if found is None:
        _, mark, rest = url.partition("://")
        hides = may_be_address(url) or "@" in url or (mark and not _SERVER.fullmatch(rest))
        return HIDDEN if hides else url
    userinfo, at, rest = found["rest"].rpartition("@")
    server = rest.partition("?")[0]
    if (at and "?" in userinfo) or "%40" in server or not _SERVER.fullmatch(server):
        # of a password, or of an option whose value is one
        return f"{found['scheme']}://{HIDDEN}"
    return f"{found['scheme']}://{server}"


def may_be_address(text: str) -> bool:
    """Whether a relative path is rather an address of a server, with a password in it perhaps."""
    return any(map(_MISTYPED.match, (text, unquote(text))))


def secrets_in(url: str) -> Iterator[str]:
    """The passwords that an address carries, as they are written there and as they are meant."""
    userinfo, _, rest = url.partition("://")[2].rpartition("@")
    user, colon, password = userinfo.partition(":")
    if not colon and url.startswith("miharu+"):  # the token of another miharu stands alone
        password = user
    yield from (password, unquote(password))
    for name, value in parse_qsl(rest.partition("?")[2]):
        if "pass" in name or "token" in name or "secret" in name:
            yield value


def secrets_of_hook(url: str) -> Iterator[str]:
    """What of a webhook's address is a secret: each part behind the host that is not a word."""
    yield from (part for part in re.split(r"[/?&=]", url.partition("://")[2])[1:] if not part.isalpha())


def public_path(path: str) -> str:
    """The path of a file without what may be a user and a password."""
    return _USER.sub(f"{HIDDEN}@", path)
