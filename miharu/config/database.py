"""Where calls are kept: an SQLAlchemy URL with its async driver, or the address of another miharu."""

import os
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from miharu.config.refusal import refused
from miharu.errors import ConfigError
from miharu.redaction import urls

__all__ = ("MEMORY", "NOWHERE", "REMOTE", "database_file", "is_remote", "public_url", "resolve_database")

MEMORY = "sqlite+aiosqlite:///:memory:"
NOWHERE = "nowhere://"
"""For a monitor that keeps nothing, such as that of ``miharu.capture`` without ``init()``."""
REMOTE = ("miharu+https", "miharu+http")
"""Schemes of the address of another miharu; the second is without TLS."""
_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
}
_AS_REMOTE = "write the address of another miharu as 'https://token@host', with the token that it asks for"


def resolve_database(given: object = None, environ: Mapping[str, str] = os.environ) -> str:
    """Where calls are kept, for writers and readers alike: the argument, else the environment, else a file.

    Under pytest with nothing configured they are kept in memory, so that a mocked call never counts as
    real spending.

    Raises:
        ConfigError: It is neither a path nor a URL, or nothing is set and no place is this user's alone.
    """
    setting = "database"
    if given is None and environ.get("MIHARU_DATABASE_URL"):
        setting, given = "MIHARU_DATABASE_URL", environ["MIHARU_DATABASE_URL"]
    if given is None:
        return MEMORY if _under_pytest(environ) else _file_url(setting, _default(environ))
    usage = "give a path or a URL, such as 'calls.db' or 'sqlite:///calls.db'"
    text = str(given) if isinstance(given, str | os.PathLike) else ""
    if not text.strip() or "\0" in text:
        raise refused(setting, _shown(given), usage)
    if text == ":memory:":
        return MEMORY
    if "://" not in text:
        if isinstance(given, str):
            _refuse_mistyped(setting, text)
        return _file_url(setting, Path(text))
    scheme, _, rest = text.partition("://")
    dialect = scheme.partition("+")[0].lower()
    if dialect == "sqlite":
        return _sqlite_url(setting, rest)
    if dialect in {"http", "https", "miharu"} and rest:
        return _remote_url(setting, scheme.lower(), rest)
    if not dialect.isalnum() or not rest:
        raise refused(setting, public_url(text), usage)
    return f"{_DRIVERS.get(dialect, scheme)}://{rest}"


def is_remote(url: str) -> bool:
    """Whether a resolved URL is the address of another miharu."""
    return url.startswith(REMOTE)


def database_file(url: str) -> Path | None:
    """The file behind a resolved URL; ``None`` for memory or a server."""
    scheme, _, name = url.partition(":///")
    return None if not scheme.startswith("sqlite") or name == ":memory:" else Path(unquote(name))


def public_url(url: str) -> str:
    """The database as it may be logged or shown: the path of a file, and neither user nor password."""
    file = database_file(url)
    return urls.public_path(str(file)) if file else url if url == MEMORY else urls.public_address(url)


def _shown(given: object) -> object:
    """What may be said of it in an error."""
    if given is None or isinstance(given, bool | int | float):
        return given
    return public_url(given) if isinstance(given, str) else type(given).__name__


def _refuse_mistyped(setting: str, text: str) -> None:
    """Refuse an address whose beginning is mistyped: as the name of a file it would show its password."""
    is_path = text.startswith(("/", "./", "../", "~")) and not text.startswith("//")
    if not is_path and urls.may_be_address(text):
        raise refused(
            setting,
            urls.HIDDEN,
            "that is neither a path nor a whole URL; write it as 'postgresql://user:password@host/name', or "
            "with './' in front if it is a file",
        )


def _default(environ: Mapping[str, str]) -> Path:
    from miharu.config.location import NoPlace, default_database

    try:
        return default_database(environ)
    except NoPlace as error:
        raise ConfigError(str(error), "database") from None


def _sqlite_url(setting: str, rest: str) -> str:
    if rest in {"", "/", "/:memory:"}:
        return MEMORY
    _refuse_mistyped(setting, rest.removeprefix("/"))
    if not rest.startswith("/") or "?" in rest:
        path = rest.partition("?")[0].lstrip("/")
        may_be_login = "@" in rest or ":" in rest
        shown = f"sqlite://{urls.HIDDEN if may_be_login else path}"
        whole = "calls.db" if may_be_login else path
        raise refused(setting, shown, f"write it as 'sqlite:///{whole}', three slashes and a path")
    return _file_url(setting, Path(rest[1:]))


def _remote_url(setting: str, scheme: str, rest: str) -> str:
    """The address of another miharu, with its token."""
    shown = public_url(f"{scheme}://{rest}")
    resolved = scheme if scheme.startswith("miharu") else f"miharu+{scheme}"
    if resolved not in REMOTE:
        raise refused(setting, shown, "another miharu is reached by miharu+https:// or miharu+http://")
    try:
        parts = urlsplit(f"//{rest}")
        host, port = parts.hostname, parts.port
    except ValueError:  # its words may repeat the token
        raise refused(setting, shown, _AS_REMOTE) from None
    token = parts.password or parts.username
    if not host or port == 0 or not token or parts.query or parts.fragment:
        raise refused(setting, shown, _AS_REMOTE)
    if not _can_be_sent(unquote(token)) or not _can_be_sent(parts.path) or " " in parts.path:
        raise refused(
            setting, shown, "a token and a path consist of printable ASCII; percent-encode all else in a path"
        )
    if scheme == "http" and not _is_loopback(host):
        raise refused(
            setting,
            shown,
            f"the token and the calls would be sent without TLS: use 'https://', or 'miharu+http://' if "
            f"{host} is in a private network",
        )
    return f"{resolved}://{rest.rstrip('/')}"


def _can_be_sent(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _file_url(setting: str, path: Path) -> str:
    try:
        path = Path(os.path.abspath(path.expanduser()))  # noqa: PTH100 - resolve() would follow the user's links
    except (OSError, RuntimeError) as error:  # no such user, or the working directory is gone
        raise refused(setting, urls.public_path(str(path)), f"{error}; give an absolute path") from error
    if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir() raises where a parent folder is closed to us
        raise refused(setting, str(path), f"that is a folder; name a file in it: {str(path / 'calls.db')!r}")
    return f"sqlite+aiosqlite:///{quote(str(path))}"


def _under_pytest(environ: Mapping[str, str]) -> bool:
    return "PYTEST_VERSION" in environ or "PYTEST_CURRENT_TEST" in environ
