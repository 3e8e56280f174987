"""Where calls are kept, as an SQLAlchemy URL with its async driver."""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, unquote

from miharu._location import NoPlace, default_database
from miharu.config.refusal import refused
from miharu.errors import ConfigError

__all__ = ("MEMORY", "NOWHERE", "database_file", "public_url", "resolve_database")

MEMORY = "sqlite+aiosqlite:///:memory:"
NOWHERE = "nowhere://"
"""For whoever only looks, and keeps nothing."""
_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
}


def resolve_database(given: object = None, environ: Mapping[str, str] = os.environ) -> str:
    """Where calls are kept, for writers and readers alike: the argument, else the environment, else a file.

    Under pytest with nothing configured they are kept in memory, so that a mocked call never becomes
    somebody's spend.

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
        raise refused(setting, given, usage)
    if text == ":memory:":
        return MEMORY
    if "://" not in text:
        return _file_url(setting, Path(text))
    scheme, _, rest = text.partition("://")
    dialect = scheme.partition("+")[0].lower()
    if dialect == "sqlite":
        return _sqlite_url(setting, rest)
    if not dialect.isalnum() or not rest:
        raise refused(setting, public_url(text), usage)
    return f"{_DRIVERS.get(dialect, scheme)}://{rest}"


def database_file(url: str) -> Path | None:
    """The file behind a resolved URL; ``None`` for memory or a server."""
    scheme, _, name = url.partition(":///")
    return None if not scheme.startswith("sqlite") or name == ":memory:" else Path(unquote(name))


def public_url(url: str) -> str:
    """The database as it may be logged or shown: the path of a file, and neither user nor password."""
    if file := database_file(url):
        return str(file)
    scheme, separator, rest = url.partition("://")
    if "?" in rest.rpartition("@")[0]:  # of a password, or of an option whose value is one
        return f"{scheme}://…"
    return f"{scheme}://{rest.rpartition('@')[2].partition('?')[0]}" if separator else url


def _default(environ: Mapping[str, str]) -> Path:
    try:
        return default_database(environ)
    except NoPlace as error:
        raise ConfigError(str(error), "database") from None


def _sqlite_url(setting: str, rest: str) -> str:
    if rest in {"", "/", "/:memory:"}:
        return MEMORY
    if not rest.startswith("/") or "?" in rest:
        path = rest.partition("?")[0].lstrip("/")
        raise refused(
            setting, f"sqlite://{rest}", f"write it as 'sqlite:///{path}', three slashes and a path"
        )
    return _file_url(setting, Path(rest[1:]))


def _file_url(setting: str, path: Path) -> str:
    try:
        path = Path(os.path.abspath(path.expanduser()))  # noqa: PTH100 - resolve() would follow the user's links
    except (OSError, RuntimeError) as error:  # no such user, or the working directory is gone
        raise refused(setting, str(path), f"{error}; give an absolute path") from error
    if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir() raises where a parent folder is closed to us
        raise refused(setting, str(path), f"that is a folder; name a file in it: {str(path / 'calls.db')!r}")
    return f"sqlite+aiosqlite:///{quote(str(path))}"


def _under_pytest(environ: Mapping[str, str]) -> bool:
    return "PYTEST_VERSION" in environ or "PYTEST_CURRENT_TEST" in environ
