"""Everything that can be set, resolved."""

import inspect
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, TypeVar

from miharu.config.database import resolve_database
from miharu.config.ignore import NOTHING_IGNORED, Ignore, ignored
from miharu.config.lengths import length_ms
from miharu.config.refusal import refused
from miharu.errors import ConfigError

if TYPE_CHECKING:  # they are imported where they are used
    from miharu._alert import Alert
    from miharu._budget import Budget
    from miharu._price import Price
    from miharu.call import Call
    from miharu.exporters.base import Exporter
    from miharu.pricing.base import Prices
    from miharu.providers.base import Provider

__all__ = ("UNSET", "Config", "Length", "Unset")

T = TypeVar("T")

_CONTENT_RETENTION = "30d"
_FOR_EVER = "forever"
_LONGEST_NAME = 200
_MOST_TAGS = 8
_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"", "0", "false", "no", "off"}


class Unset(Enum):
    """What stands for an argument that was not given, where ``None`` says something."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET
Length = int | timedelta | str | None
"""A length of time: days, a ``timedelta``, or a text such as ``30d``; ``None`` for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that can be set, resolved. Two equal configs mean the same ``init()``."""

    database: str = field(repr=False)
    """An SQLAlchemy URL with its async driver."""
    service: str | None = None
    capture_content: bool = False
    search: bool = True
    """Whether what was said can be searched for words, where content is kept."""
    estimate_usage: bool = False
    disabled: bool = False
    retention_ms: int | None = None
    """How long calls are kept; ``None`` for ever."""
    content_retention_ms: int | None = None
    tag_sums: tuple[str, ...] = ()
    """The tags by which sums are kept."""
    budgets: "tuple[Budget, ...]" = ()
    alerts: "tuple[Alert, ...]" = ()
    prices: "Prices | Mapping[str, Price] | None" = None
    update_prices: bool = False
    providers: "tuple[Provider, ...]" = ()
    exporters: "tuple[Exporter | str, ...]" = ()
    """Objects, and names of exporters that are installed."""
    exporters_setting: str = field(default="exporters", compare=False)
    """Where these names come from, for an error."""
    redact: Callable[[Any], Any] | None = None
    """Applied to content before it is stored, in addition to the built-in redaction."""
    ignore: Ignore = NOTHING_IGNORED

    @property
    def exporter_names(self) -> tuple[str, ...]:
        """Of the exporters that are named."""
        return tuple(one for one in self.exporters if isinstance(one, str))

    @classmethod
    def resolve(
        cls,
        database: str | os.PathLike[str] | None = None,
        *,
        service: str | None = None,
        capture_content: bool | None = None,
        search: bool | None = None,
        estimate_usage: bool | None = None,
        retention: Length | Unset = UNSET,
        content_retention: Length | Unset = UNSET,
        tag_sums: Iterable[str] = (),
        budgets: "Iterable[Budget] | None" = None,
        alerts: "Iterable[Alert | str] | None" = None,
        prices: "Prices | Mapping[str, Price] | None" = None,
        update_prices: bool = False,
        providers: "Iterable[Provider]" = (),
        exporters: "Iterable[Exporter | str] | None" = None,
        redact: Callable[[Any], Any] | None = None,
        ignore: "Iterable[str | Callable[[Call], bool]] | None" = None,
        environ: Mapping[str, str] = os.environ,
    ) -> "Config":
        """Merge arguments over environment over defaults.

        Raises:
            ConfigError: A value is not valid; the message names it, the choices and the remedy.
        """
        providers = _several("providers", providers)
        exporters_setting, exporters = _exporters(exporters, environ)
        if service is not None and not _is_word(service):
            raise refused("service", service, "give the name of this program as a text, or leave it out")
        flags = {
            "capture_content": capture_content,
            "search": search,
            "estimate_usage": estimate_usage,
            "update_prices": update_prices,
        }
        for setting, flag in flags.items():
            if flag is not None and not isinstance(flag, bool):
                raise refused(setting, flag, "give True or False")
        prices = _prices(prices)
        _expect("providers", providers, "read", "rules", "api")
        _expect_plain("redact", redact, "from a text or a JSON object to the same")
        return cls(
            database=resolve_database(database, environ),
            service=service or environ.get("MIHARU_SERVICE", "").strip() or None,
            capture_content=_flag(environ, "MIHARU_CAPTURE_CONTENT", given=capture_content),
            search=_flag(environ, "MIHARU_SEARCH", given=search, otherwise=True),
            estimate_usage=_flag(environ, "MIHARU_ESTIMATE_USAGE", given=estimate_usage),
            disabled=_flag(environ, "MIHARU_DISABLED"),
            retention_ms=_length("retention", retention, environ, "MIHARU_RETENTION", _FOR_EVER),
            content_retention_ms=_length(
                "content_retention",
                content_retention,
                environ,
                "MIHARU_CONTENT_RETENTION",
                _CONTENT_RETENTION,
            ),
            tag_sums=_tag_sums(tag_sums),
            budgets=_budgets(budgets, environ),
            alerts=_alerts(alerts, environ),
            prices=prices,
            update_prices=update_prices,
            providers=providers,
            exporters=exporters,
            exporters_setting=exporters_setting,
            redact=redact,
            ignore=ignored(ignore, environ),
        )


def _is_word(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _flag(
    environ: Mapping[str, str], name: str, *, given: bool | None = None, otherwise: bool = False
) -> bool:
    if given is not None:
        return given
    text = environ.get(name, "").strip().lower()
    if not text:
        return otherwise
    if text not in _TRUE | _FALSE:
        raise refused(name, environ[name], "set it to 1 or 0")
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
        raise refused(
            setting, given, f"give days or a length such as '30d' or '12h', or {_FOR_EVER!r}"
        ) from None


def _budgets(given: "Iterable[Budget] | None", environ: Mapping[str, str]) -> "tuple[Budget, ...]":
    text = environ.get("MIHARU_BUDGET", "").strip()
    if given is None and not text:
        return ()
    from miharu._budget import Budget, budgets_from

    if given is None:
        try:
            return budgets_from(text)
        except ValueError:
            raise refused("MIHARU_BUDGET", text, "set it to a limit in US dollars such as 10/day") from None
    budgets = _several("budgets", given)
    for budget in budgets:
        if not isinstance(budget, Budget):
            raise refused("budgets", budget, "give miharu.Budget objects, such as miharu.Budget(10, 'day')")
    return budgets


def _alerts(given: "Iterable[Alert | str] | None", environ: Mapping[str, str]) -> "tuple[Alert, ...]":
    text, hook = (environ.get(name, "").strip() for name in ("MIHARU_ALERTS", "MIHARU_ALERT_WEBHOOK"))
    if hook and not hook.startswith(("http://", "https://")):
        raise ConfigError(
            "MIHARU_ALERT_WEBHOOK is not a URL: set it to one that begins with http:// or https://.",
            "MIHARU_ALERT_WEBHOOK",
        )
    if given is None and not text:
        return ()
    from miharu._alert import alerts_from

    if given is not None:
        return alerts_from(_several("alerts", given), hook or None)
    try:
        return alerts_from([one for one in map(str.strip, text.split(";")) if one], hook or None)
    except ConfigError as error:
        raise ConfigError(f"MIHARU_ALERTS: {error}", "MIHARU_ALERTS") from None


def _exporters(
    given: "Iterable[Exporter | str] | None", environ: Mapping[str, str]
) -> "tuple[str, tuple[Exporter | str, ...]]":
    """Where they come from, and the exporters; whether there are some of these names is found out later."""
    if given is None:
        names = [name.strip() for name in environ.get("MIHARU_EXPORTERS", "").split(",")]
        return "MIHARU_EXPORTERS", tuple(filter(None, names))
    exporters = _several("exporters", given)
    for name in exporters:
        if isinstance(name, str) and not name.strip():
            raise refused("exporters", name, "give the name of an exporter, such as 'otlp'")
    _expect("exporters", tuple(one for one in exporters if not isinstance(one, str)), "export")
    return "exporters", tuple(one.strip() if isinstance(one, str) else one for one in exporters)


def _tag_sums(given: Iterable[str]) -> tuple[str, ...]:
    names = _several("tag_sums", given)
    for name in names:
        if not _is_word(name) or len(name) > _LONGEST_NAME:
            raise refused("tag_sums", name, "give the names of a few tags, such as ('team', 'release')")
    if len(set(names)) > _MOST_TAGS:
        raise refused("tag_sums", names, f"give at most {_MOST_TAGS}: each is summed up for every call")
    return tuple(sorted(set(names)))


def _prices(given: "Prices | Mapping[str, Price] | None") -> "Prices | Mapping[str, Price] | None":
    if not isinstance(given, Mapping):
        _expect("prices", () if given is None else (given,), "cost")
        return given
    from miharu._price import Price

    example = 'give miharu.Price objects by model, such as {"my-model": miharu.Price(input=0.5, output=2)}'
    table: Mapping[object, object] = given  # type: ignore[assignment]
    for name, price in table.items():
        if not isinstance(name, str) or not name.strip():
            raise refused("prices", name, f"it is not the name of a model; {example}")
        if not isinstance(price, Price):
            raise refused(f"prices[{name!r}]", price, example)
    return dict(given)


def _several(setting: str, values: "Iterable[T]") -> "tuple[T, ...]":
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise refused(setting, values, "give a list of them")
    return tuple(values)


def _expect_plain(setting: str, value: object, what: str) -> None:
    if value is not None and (not callable(value) or isinstance(value, type)):
        raise refused(setting, value, f"give a function {what}, or leave it out")
    if inspect.iscoroutinefunction(value):
        raise refused(setting, value, "give a plain function; the recorder waits for none")


def _expect(setting: str, values: tuple[object, ...], method: str, *fields: str) -> None:
    for value in values:
        if isinstance(value, type):
            raise refused(setting, value, f"give an object of that class: {value.__name__}()")
        if not callable(getattr(value, method, None)):
            raise refused(setting, value, f"it has no method {method}(); see docs/plugins.md")
        if missing := [name for name in fields if not hasattr(value, name)]:
            raise refused(setting, value, f"it has no {missing[0]}; see docs/plugins.md")
