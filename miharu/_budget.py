"""Limits on what calls may cost, as the program states them, and how they stand.

Periods are those of the clock in UTC, so that processes and machines agree on when one ends.
"""

from collections.abc import Callable, Iterator
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from miharu._budget_state import BudgetState, Per, usd_of
from miharu.errors import ConfigError

__all__ = ("Budget", "BudgetState", "Each", "Per", "budgets_from", "period_of")

Each = Literal["user", "route"]
_NANO = 10**9


@dataclass(frozen=True, slots=True)
class Budget:
    """What calls may cost in an hour, a day or a month of UTC.

    Without any of ``user``, ``route``, ``service`` and ``tag`` it is for all calls in the database; with
    several, for the calls that have them all.

    Args:
        usd: The limit in US dollars.
        per: ``hour``, ``day`` or ``month``.
        name: What it is called in messages; by default what it says.
        user: Only calls of that user.
        route: Only calls of that route, such as ``POST /chat/{thread_id}``.
        service: Only calls of that program; by default of all that share the database.
        tag: Only calls with that tag: its name and its value.
        each: ``user`` or ``route``: the limit is for each of them.
        refuse: Whether calls are refused, by ``miharu.BudgetExceeded``, once it is used up.
        on_exceeded: Called once it is used up, with the ``BudgetState``, on miharu's own thread.
        webhook: A URL to which that is posted.

    Raises:
        ConfigError: A value is not valid.
    """

    usd: float | Decimal
    per: Per = "day"
    _: KW_ONLY
    name: str | None = None
    user: str | None = None
    route: str | None = None
    service: str | None = None
    tag: tuple[str, str] | None = None
    each: Each | None = None
    refuse: bool = False
    on_exceeded: Callable[[BudgetState], object] | None = None
    webhook: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for setting, is_sound, remedy in self._rules():
            if not is_sound:
                value = "…" if setting == "webhook" else repr(getattr(self, setting))  # that may be a secret
                raise ConfigError(f"Budget({setting}={value}): {remedy}.", "budgets")
        if self.tag is not None:
            object.__setattr__(self, "tag", tuple(self.tag))

    def _rules(self) -> Iterator[tuple[str, bool, str]]:
        yield "usd", _is_amount(self.usd), "give US dollars, more than 0, such as 10 or 0.5"
        yield "per", self.per in get_args(Per), f"choose one of {_choices(Per)}"
        yield "each", self.each in (None, *get_args(Each)), f"choose one of {_choices(Each)}, or leave it out"
        for name in ("name", "user", "route", "service"):
            value = getattr(self, name)
            yield name, value is None or _is_word(value), "give a text, or leave it out"
        yield "tag", _is_tag(self.tag), "give the name and the value, such as ('team', 'search')"
        one = getattr(self, self.each) if self.each else None
        yield "each", one is None, f"{self.each}={one!r} is one alone; leave out one of the two"
        yield "refuse", isinstance(self.refuse, bool), "give True or False"
        yield "on_exceeded", self.on_exceeded is None or callable(self.on_exceeded), "give a function"
        yield "webhook", _is_url(self.webhook), "give a URL that begins with http:// or https://"

    @property
    def limit_nanousd(self) -> int:
        return int(Decimal(str(self.usd)) * _NANO)

    @property
    def label(self) -> str:
        """Its name, or a description of it where it has none."""
        if self.name is not None:
            return self.name
        tag = f"{self.tag[0]}={self.tag[1]}" if self.tag else None
        each = f"each {self.each}" if self.each else None
        scope = [part for part in (each, self.user, self.route, self.service, tag) if part]
        length = "an hour" if self.per == "hour" else f"a {self.per}"
        return ", ".join((f"{usd_of(self.limit_nanousd)} USD {length}", *scope))


def budgets_from(text: str) -> tuple[Budget, ...]:
    """What an environment variable says, such as ``10/day`` or ``10/day, 200/month``.

    Raises:
        ValueError: It is not valid.
    """
    budgets = []
    for part in text.split(","):
        amount, _, per = (piece.strip() for piece in part.partition("/"))
        budgets.append(Budget(float(amount), per or "day"))  # type: ignore[arg-type]
    return tuple(budgets)


def period_of(per: Per, at: int) -> tuple[int, int]:
    """Start and end of the period in which that moment lies, all in Unix milliseconds."""
    moment = datetime.fromtimestamp(at / 1000, UTC).replace(minute=0, second=0, microsecond=0)
    if per == "hour":
        return _ms(moment), _ms(moment + timedelta(hours=1))
    moment = moment.replace(hour=0)
    if per == "day":
        return _ms(moment), _ms(moment + timedelta(days=1))
    moment = moment.replace(day=1)
    return _ms(moment), _ms((moment + timedelta(days=32)).replace(day=1))


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _choices(of: Any) -> str:
    return ", ".join(map(repr, get_args(of)))


def _is_amount(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return False
    amount = Decimal(value if isinstance(value, int) else str(value))
    return amount.is_finite() and 1 <= amount * _NANO < 2**53


def _is_word(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _is_tag(value: object) -> bool:
    if value is None:
        return True
    return isinstance(value, tuple | list) and len(value) == 2 and all(map(_is_word, value))


def _is_url(value: object) -> bool:
    if value is None:
        return True
    try:
        parts = urlsplit(value) if isinstance(value, str) else None
    except ValueError:
        return False
    return parts is not None and parts.scheme in {"http", "https"} and bool(parts.hostname)
