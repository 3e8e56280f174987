"""The settings, from arguments and environment. Arguments win.

A nonsense argument raises. A nonsense environment variable logs one line and switches miharu off,
because the start-up of the host program comes first.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeVar, cast, get_args
from urllib.parse import quote, unquote

from miharu._budget import Budget, budgets_from
from miharu._lengths import length_ms
from miharu._location import default_database
from miharu.errors import ConfigError

if TYPE_CHECKING:
    from miharu.exporters.base import Exporter
    from miharu.pricing.base import Prices
    from miharu.providers.base import Provider

__all__ = (
    "MEMORY",
    "NOWHERE",
    "UNSET",
    "AuthMode",
    "Config",
    "Length",
    "Unset",
    "auth_mode",
    "database_file",
    "public_url",
    "resolve_database",
)

T = TypeVar("T")


class Unset(Enum):
    """What stands for an argument that was not given, where ``None`` says something."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET
Length = int | timedelta | str | None
"""A length of time: days, a ``timedelta``, or a text such as ``30d``; ``None`` for ever."""
AuthMode = Literal["auto", "token", "off"]

MEMORY = "sqlite+aiosqlite:///:memory:"
NOWHERE = "nowhere://"
"""For whoever only looks, and keeps nothing."""
_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
}
_CONTENT_RETENTION = "30d"
_FOR_EVER = "forever"
_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"", "0", "false", "no", "off"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that can be set, resolved. Two equal configs mean the same ``init()``."""

    database: str
    """An SQLAlchemy URL with its async driver."""
    service: str | None = None
    capture_content: bool = False
    estimate_usage: bool = False
    disabled: bool = False
    retention_ms: int | None = None
    """How long calls are kept; ``None`` for ever."""
    content_retention_ms: int | None = None
    budgets: tuple[Budget, ...] = ()
    prices: "Prices | None" = None
    providers: "tuple[Provider, ...]" = ()
    exporters: "tuple[Exporter, ...]" = ()

    @classmethod
    def resolve(
        cls,
        database: str | os.PathLike[str] | None = None,
        *,
        service: str | None = None,
        capture_content: bool | None = None,
        estimate_usage: bool | None = None,
        retention: Length | Unset = UNSET,
        content_retention: Length | Unset = UNSET,
        budgets: Iterable[Budget] | None = None,
        prices: "Prices | None" = None,
        providers: "Iterable[Provider]" = (),
        exporters: "Iterable[Exporter]" = (),
        environ: Mapping[str, str] = os.environ,
    ) -> "Config":
        """Merge arguments over environment over defaults.

        Raises:
            ConfigError: A value makes no sense; the message names it, the choices and the remedy.
        """
        providers, exporters = _several("providers", providers), _several("exporters", exporters)
        if service is not None and not isinstance(service, str):
            raise _refused("service", service, "give the name of this program as a string")
        for setting, flag in (("capture_content", capture_content), ("estimate_usage", estimate_usage)):
            if flag is not None and not isinstance(flag, bool):
                raise _refused(setting, flag, "give True or False")
        _expect("prices", () if prices is None else (prices,), "cost")
        _expect("providers", providers, "read", "rules", "api")
        _expect("exporters", exporters, "export")
        return cls(
            database=resolve_database(database, environ),
            service=service or environ.get("MIHARU_SERVICE") or None,
            capture_content=_flag(environ, "MIHARU_CAPTURE_CONTENT", capture_content),
            estimate_usage=_flag(environ, "MIHARU_ESTIMATE_USAGE", estimate_usage),
            disabled=_flag(environ, "MIHARU_DISABLED"),
            retention_ms=_length("retention", retention, environ, "MIHARU_RETENTION", _FOR_EVER),
            content_retention_ms=_length(
                "content_retention",
                content_retention,
                environ,
                "MIHARU_CONTENT_RETENTION",
                _CONTENT_RETENTION,
            ),
            budgets=_budgets(budgets, environ),
            prices=prices,
            providers=providers,
            exporters=exporters,
        )


def resolve_database(given: object = None, environ: Mapping[str, str] = os.environ) -> str:
    """Where calls are kept, for writers and readers alike: the argument, else the environment, else a file.

    Under pytest with nothing configured they are kept in memory, so that a mocked call never becomes
    somebody's spend.

    Raises:
        ConfigError: It is neither a path nor a URL.
    """
    setting = "database"
    if given is None and environ.get("MIHARU_DATABASE_URL"):
        setting, given = "MIHARU_DATABASE_URL", environ["MIHARU_DATABASE_URL"]
    if given is None:
        return MEMORY if _under_pytest(environ) else _file_url(setting, default_database(environ))
    usage = "give a path or a URL, such as 'calls.db' or 'sqlite:///calls.db'"
    text = str(given) if isinstance(given, str | os.PathLike) else ""
    if not text.strip() or "\0" in text:
        raise _refused(setting, given, usage)
    if text == ":memory:":
        return MEMORY
    if "://" not in text:
        return _file_url(setting, Path(text))
    scheme, _, rest = text.partition("://")
    dialect = scheme.partition("+")[0].lower()
    if dialect == "sqlite":
        return _sqlite_url(setting, rest)
    if not dialect.isalnum() or not rest:
        raise _refused(setting, public_url(text), usage)
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


def auth_mode(given: str, environ: Mapping[str, str] = os.environ) -> AuthMode:
    """Who may see the dashboard; ``MIHARU_AUTH`` and ``MIHARU_TOKEN`` speak where the argument says ``auto``.

    Raises:
        ConfigError: It is none of the modes.
    """
    where, mode = "auth", given
    if mode == "auto":
        where, mode = "MIHARU_AUTH", environ.get("MIHARU_AUTH") or "auto"
    if mode not in get_args(AuthMode):
        raise ConfigError(
            f"{where}={mode!r}: choose one of {', '.join(get_args(AuthMode))}, or pass a callable."
        )
    if mode == "auto" and environ.get("MIHARU_TOKEN"):
        return "token"
    return cast("AuthMode", mode)


def _sqlite_url(setting: str, rest: str) -> str:
    if rest in {"", "/", "/:memory:"}:
        return MEMORY
    if not rest.startswith("/") or "?" in rest:
        path = rest.partition("?")[0].lstrip("/")
        raise _refused(
            setting, f"sqlite://{rest}", f"write it as 'sqlite:///{path}', three slashes and a path"
        )
    return _file_url(setting, Path(rest[1:]))


def _file_url(setting: str, path: Path) -> str:
    try:
        path = Path(os.path.abspath(path.expanduser()))  # noqa: PTH100 - resolve() would follow the user's links
    except (OSError, RuntimeError) as error:  # no such user, or the working directory is gone
        raise _refused(setting, str(path), f"{error}; give an absolute path") from error
    if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir() raises where a parent folder is closed to us
        raise _refused(setting, str(path), f"that is a folder; name a file in it: {str(path / 'calls.db')!r}")
    return f"sqlite+aiosqlite:///{quote(str(path))}"


def _flag(environ: Mapping[str, str], name: str, given: bool | None = None) -> bool:  # noqa: FBT001
    if given is not None:
        return given
    text = environ.get(name, "").strip().lower()
    if text not in _TRUE | _FALSE:
        raise _refused(name, environ[name], "set it to 1 or 0")
    return text in _TRUE


def _length(
    setting: str, given: Length | Unset, environ: Mapping[str, str], name: str, default: str
) -> int | None:
    if given is UNSET:
        setting, given = (name, environ[name]) if environ.get(name) else (setting, default)
    if given is None or given == _FOR_EVER:
        return None
    try:
        return length_ms(given)
    except ValueError:
        raise _refused(
            setting, given, f"give days or a length such as '30d' or '12h', or {_FOR_EVER!r}"
        ) from None


def _budgets(given: Iterable[Budget] | None, environ: Mapping[str, str]) -> tuple[Budget, ...]:
    if given is None:
        text = environ.get("MIHARU_BUDGET", "").strip()
        try:
            return budgets_from(text) if text else ()
        except ValueError:
            raise _refused("MIHARU_BUDGET", text, "set it to a limit in US dollars such as 10/day") from None
    budgets = _several("budgets", given)
    for budget in budgets:
        if not isinstance(budget, Budget):
            raise _refused("budgets", budget, "give miharu.Budget objects, such as miharu.Budget(10, 'day')")
    return budgets


def _several(setting: str, values: "Iterable[T]") -> "tuple[T, ...]":
    try:
        return tuple(values)
    except TypeError:
        raise _refused(setting, values, "give a list of them") from None


def _expect(setting: str, values: tuple[object, ...], method: str, *fields: str) -> None:
    for value in values:
        if not callable(getattr(value, method, None)):
            raise _refused(setting, value, f"it has no method {method}(); see docs/plugins.md")
        if missing := [name for name in fields if not hasattr(value, name)]:
            raise _refused(setting, value, f"it has no {missing[0]}; see docs/plugins.md")


def _refused(setting: str, value: object, remedy: str) -> ConfigError:
    return ConfigError(f"{setting}={value!r}: {remedy}.", setting)


def _under_pytest(environ: Mapping[str, str]) -> bool:
    return "PYTEST_VERSION" in environ or "PYTEST_CURRENT_TEST" in environ
