"""What is to be told of when calls change for the worse, as the program states it.

when      = measure { condition }        the conditions are those of filters (``conditions/``)
measure   = ( "errors" | "unpriced" ) sign ( share | count )
| ( "p50" | "p95" ) sign duration | "cost" sign money an hour | "calls" sign count
| "score" ":" name sign number
sign      = ">" | ">=" | "<" | "<="
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, field
from hashlib import blake2b
from typing import Literal, cast
from urllib.parse import urlsplit

from miharu.conditions.language import Condition, Threshold
from miharu.conditions.parsing import conditions_in
from miharu.conditions.units import Unreadable, read_number
from miharu.errors import ConditionError, ConfigError

__all__ = ("LEAST", "Alert", "AlertChange", "Measure", "Rule", "alert_from", "alerts_from", "rule_of")

Measure = Literal["errors", "unpriced", "p50", "p95", "cost", "calls", "score"]
LEAST = 20
_MEASURE = re.compile(r'(errors|unpriced|p50|p95|cost|calls|score:(?:"[^"]+"|[^\s<>"]+))(>=|<=|>|<)(\S+)')
_TOKEN = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^\s"])+')
_OWN = re.compile(r'(over|least|name):(?:"([^"]*)"|(\S+))')
_SHORTEST_MS, _LONGEST_MS = 60_000, 7 * 86_400_000
_EXAMPLE = (
    "such as 'errors>5% route:/refund', 'p95>8s', 'cost>5', 'unpriced>10%', 'calls<1', 'score:helpful<0.5'"
)


@dataclass(frozen=True, slots=True)
class Rule:
    """What is measured, of which calls, and from where on it is told of."""

    measure: Measure
    name: str | None
    """Of a score."""
    sign: Threshold
    limit: float
    """A share (0 to 1), a count, milliseconds, nano-dollars an hour, or the mean of a score."""
    is_share: bool
    conditions: tuple[Condition, ...]

    def is_met(self, value: float) -> bool:
        """Whether the value is beyond the limit."""
        return {
            ">": value > self.limit,
            ">=": value >= self.limit,
            "<": value < self.limit,
            "<=": value <= self.limit,
        }[self.sign]

    @property
    def is_sampled(self) -> bool:
        """Whether few calls say little of it."""
        return self.is_share or self.measure in {"p50", "p95", "score"}


@dataclass(frozen=True, slots=True)
class AlertChange:
    """What is told when an alert begins to fire, or is over."""

    name: str
    state: Literal["firing", "resolved"]
    when: str
    over: str
    at: int
    """Unix milliseconds."""
    text: str
    """The value in words, such as ``41.9% of 203 calls``."""
    value: float | None
    calls: int

    def __str__(self) -> str:
        how = "is firing" if self.state == "firing" else "is resolved"
        return f"The alert {self.name!r} {how}: {self.text} in {self.over} ({self.when})"


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that calls should not become, told of when they do and when that is over.

    Args:
        name: What it is called.
        when: What is measured, its limit, and of which calls, such as ``errors>5% route:/refund``.
        over: The time that is looked at, up to now: from ``1m`` to ``7d``.
        at_least: Calls below which a share, a percentile or a mean does not begin to fire.
        webhook: A URL to which each change is posted; by default ``MIHARU_ALERT_WEBHOOK``.
        on_change: Called with each ``AlertChange``, on miharu's own thread.

    Raises:
        ConfigError: A value is not valid.
    """

    name: str
    when: str
    _: KW_ONLY
    over: str = "15m"
    at_least: int = LEAST
    webhook: str | None = field(default=None, repr=False)
    on_change: Callable[[AlertChange], object] | None = None

    def __post_init__(self) -> None:
        for setting, is_sound, remedy in self._rules():
            if not is_sound:
                value = "…" if setting == "webhook" else repr(getattr(self, setting))  # that may be a secret
                raise ConfigError(f"Alert({setting}={value}): {remedy}.", "alerts")
        rule_of(self.when)

    def _rules(self) -> Iterator[tuple[str, bool, str]]:
        yield "name", _is_name(self.name), "give a text of up to 200 characters, such as 'Refunds fail'"
        yield "when", isinstance(self.when, str), f"give a text {_EXAMPLE}"
        yield "over", _length(self.over) is not None, "give a length of time from '1m' to '7d', such as '15m'"
        yield "at_least", _is_count(self.at_least), "give a number of calls, 1 or more"
        yield "webhook", _is_url(self.webhook), "give a URL that begins with http:// or https://"
        yield "on_change", self.on_change is None or callable(self.on_change), "give a function"

    @property
    def over_ms(self) -> int:
        return _length(self.over) or _SHORTEST_MS

    @property
    def key(self) -> str:
        """The same in all processes that state the same alert."""
        said = "\0".join((self.name, self.when, self.over, str(self.at_least)))
        return blake2b(said.encode("utf-8", "replace"), digest_size=8).hexdigest()


def rule_of(when: str) -> Rule:
    """What the text says.

    Raises:
        ConfigError: It is not understood; the error names the place, the choices and the remedy.
    """
    first, *rest = _TOKEN.findall(when) or [""]
    found = _MEASURE.fullmatch(first)
    if found is None:
        raise ConfigError(
            f"Alert(when={when!r}): it begins with what is measured and its limit, {_EXAMPLE}.", "alerts"
        )
    measure, sign, limit = found.groups()
    name = None
    if measure.startswith("score:"):
        measure, name = "score", measure.removeprefix("score:").strip('"')
        if rest:
            raise ConfigError(
                f"Alert(when={when!r}): the mean of a score is that of all calls; leave out "
                f"{' '.join(rest)!r}.",
                "alerts",
            )
    try:
        value, is_share = _limit(cast("Measure", measure), limit)
    except Unreadable as error:
        remedy = f" Perhaps {error.remedy}." if error.remedy else ""
        raise ConfigError(f"Alert(when={when!r}): {error.reason}{remedy}", "alerts") from None
    try:
        conditions = conditions_in(" ".join(rest))
    except ConditionError as error:
        where = f"Alert(when={when!r}): in the filter {' '.join(rest)!r}"
        raise ConfigError(f"{where}, {error}", "alerts") from None
    return Rule(cast("Measure", measure), name, cast("Threshold", sign), value, is_share, conditions)


def alert_from(text: str, webhook: str | None = None) -> Alert:
    """An alert as one text: ``errors>5% route:/refund over:15m least:50 name:"Refunds fail"``.

    Raises:
        ConfigError: It is not valid.
    """
    own, rest = dict[str, str](), list[str]()
    for token in _TOKEN.findall(text):
        found = _OWN.fullmatch(token)
        if found is None:
            rest.append(token)
        else:
            own[found[1]] = found[2] if found[2] is not None else found[3]
    when = " ".join(rest)
    least = own.get("least", str(LEAST))
    if not (least.isascii() and least.isdecimal() and len(least) < 10):
        raise ConfigError(f"least:{least} in {text!r}: give a number of calls, such as least:50.", "alerts")
    name = own.get("name", when[:200])
    return Alert(name, when, over=own.get("over", "15m"), at_least=int(least), webhook=webhook)


def alerts_from(given: Sequence[object], webhook: str | None = None) -> tuple[Alert, ...]:
    """Alerts, from objects and texts; ``webhook`` is for those that name none.

    Raises:
        ConfigError: One is not valid, or two have the same name.
    """
    alerts = list[Alert]()
    for one in given:
        if isinstance(one, str):
            try:
                alerts.append(alert_from(one, webhook))
            except ConfigError as error:
                words = f"alerts={one!r:.200}: {error} What to write stands in docs/alerts.md."
                raise ConfigError(words, "alerts") from None
        elif isinstance(one, Alert):
            alerts.append(one if one.webhook or not webhook else _with(one, webhook))
        else:
            raise ConfigError(f"alerts={one!r}: give miharu.Alert objects or texts {_EXAMPLE}.", "alerts")
    names = [alert.name for alert in alerts]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ConfigError(f"alerts: two are called {twice!r}; give each a name of its own.", "alerts")
    return tuple(alerts)


def _with(alert: Alert, webhook: str) -> Alert:
    return Alert(
        alert.name,
        alert.when,
        over=alert.over,
        at_least=alert.at_least,
        webhook=webhook,
        on_change=alert.on_change,
    )


def _limit(measure: Measure, text: str) -> tuple[float, bool]:
    if measure in {"errors", "unpriced"} and text.endswith("%"):
        share = read_number("number", text.removesuffix("%")) / 100
        if not 0 <= share <= 1:
            raise Unreadable(f"{text} is not a share. Write 0% to 100%.")
        return share, True
    if measure in {"p50", "p95"}:
        return read_number("duration", text), False
    if measure == "cost":
        return read_number("money", text.removesuffix("/h")), False
    if measure == "score":
        return read_number("number", text), False
    return read_number("count", text), False


def _length(text: object) -> int | None:
    try:
        ms = read_number("duration", text) if isinstance(text, str) else 0
    except Unreadable:
        return None
    return int(ms) if _SHORTEST_MS <= ms <= _LONGEST_MS else None


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and len(value) <= 200


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_url(value: object) -> bool:
    if value is None:
        return True
    try:
        parts = urlsplit(value) if isinstance(value, str) else None
    except ValueError:
        return False
    return parts is not None and parts.scheme in {"http", "https"} and bool(parts.hostname)
