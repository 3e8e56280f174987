"""Sums kept beside the calls, by minute, hour and day, so that thirty days are read in milliseconds.

``ROLLUPS`` says which there are. To those without a ``source`` all calls below a mark are added
(``folding.py``). The others are added up once a step is over (``steps.py``): from the calls, or from a
finer table, which has far fewer rows. How far each has come is kept as a moment; a call that is folded in
late, that changes or that goes is added or taken out by ``fold`` everywhere below these moments. So a sum is
exact at any time: a reader takes what lies below mark and moment from the sums, and the rest from the calls.

A histogram counts successful calls by bucket of their duration (``timing`` 0) and time to first token (1).
``WIDTH`` neighbouring buckets share a row, because what a percentile costs is the sorting of rows.

``LARGEST`` says how much a call of an hour has at most. What is the largest cannot be taken out again: where
calls change or go, it stays, and is still an upper bound of those that are left.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from miharu.stores.base import LONGEST_TAG

__all__ = (
    "CALLS",
    "DAY",
    "EVER",
    "FIRST",
    "FIVE_DAYS",
    "FOUR_WEEKS",
    "HISTOGRAMS",
    "HOUR",
    "KEYS",
    "LARGEST",
    "LONGEST_TAG",
    "MEASURES",
    "MINUTE",
    "OF_PROMPTS",
    "ORDERED",
    "ROLLUPS",
    "SUMS",
    "WIDTH",
    "Rollup",
    "ddl",
    "named",
)

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
FIVE_DAYS = 5 * DAY
FOUR_WEEKS = 28 * DAY
WIDTH = 16
"""Buckets in a row of a histogram."""
CALLS = "llm_calls"
"""The source of what is added up from the calls themselves."""

KEYS: Mapping[str, str] = {
    "status": "status",
    **{
        name: f"coalesce({name}, '')"
        for name in (
            *("service", "provider", "model", "route", "user_id", "error_type"),
            *("prompt_name", "prompt_hash"),
        )
    },
}
"""What sums are kept by, as expressions over a call; the empty text stands for none."""

MEASURES: Mapping[str, str] = {
    "calls": "1",
    "rate_limited": "CASE WHEN status = 'error' AND http_status = 429 THEN 1 ELSE 0 END",
    "unpriced": "CASE WHEN cost_nanousd IS NULL AND (status <> 'error' OR prompt_tokens IS NOT NULL) "
    "THEN 1 ELSE 0 END",
    "estimated": "CASE WHEN usage_source = 'estimated' THEN 1 ELSE 0 END",
    "retries": "CASE WHEN attempt > 1 THEN 1 ELSE 0 END",
    "duplicates": "CASE WHEN duplicate_of IS NULL THEN 0 ELSE 1 END",
    "duplicate_nanousd": "CASE WHEN duplicate_of IS NULL THEN 0 ELSE coalesce(cost_nanousd, 0) END",
    **{
        name: f"coalesce({name}, 0)"
        for name in (
            *("cost_nanousd", "prompt_tokens", "completion_tokens", "cached_tokens", "cache_write_tokens"),
            *("reasoning_tokens", "duration_ms", "cache_missed_tokens", "cache_missed_nanousd"),
        )
    },
}
"""The measures that are summed, as expressions over a call."""
ORDERED = ("cost_nanousd", "duration_ms", "ttft_ms", "prompt_tokens", "completion_tokens")
"""The columns by which lists of calls are ordered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollup:
    """One table of sums."""

    name: str
    grain: int
    """Milliseconds of one step."""
    keys: tuple[str, ...]
    """What is filtered by comes first, so that it can be gone to directly."""
    source: str | None = None
    """What whole steps are added up from: ``CALLS``, or a finer table; ``None``: each fold adds to it."""
    kept_ms: int | None = None
    """How far back it goes, where that is not for ever: what is finer than a day's question needs."""
    histogram: bool = False
    largest: bool = False
    """Whether it holds the largest values of a call, or more than these, instead of sums."""
    only: tuple[str, ...] = ()
    """The measures, if not all: a table by which users are ranked needs no more."""
    of: tuple[str, ...] = ()
    """What a question has to be about: to any other, it has more rows than finer tables of other keys."""
    of_failed: bool = False
    """Whether it holds only calls that did not succeed."""
    of_frequent: bool = False
    """Whether it holds only users with many calls (``miharu_frequent``), and calls without one; the other
    users' are few, and are read one by one."""
    of_tags: bool = False
    """Whether it is kept by the tags that ``tag_sums`` names: a call is in it once for each of them."""

    @property
    def key_columns(self) -> tuple[str, ...]:
        return ("t", *self.keys, *(("timing", "block") if self.histogram else ()))

    @property
    def measures(self) -> tuple[str, ...]:
        if self.histogram:
            return tuple(f"n{place}" for place in range(WIDTH))
        if self.largest:
            return ORDERED
        return self.only or tuple(MEASURES)

    @property
    def is_empty(self) -> str:
        """A condition on a row: all that was folded in was folded out again."""
        if self.largest:
            return "1 = 0"  # which it does not tell
        return f"{' + '.join(self.measures)} = 0" if self.histogram else "calls = 0"


_BY_MODEL = ("model", "provider", "status", "error_type", "service")
_BY_ROUTE = ("route", "status", "service")
_BY_BOTH = ("model", "route", "provider", "status", "error_type", "service")
_BY_PROVIDER = ("provider", "route", "status", "error_type", "service")
_BY_PROMPT = ("prompt_name", "prompt_hash", "route", "model", "status", "error_type", "service")
_PROMPT = ("prompt_name", "prompt_hash")
_BY_VERSION = (*_PROMPT, "status", "service")
_BY_USER = ("user_id", "status", "service")
_RANKED = ("calls", "cost_nanousd")
_MINUTES = 3 * DAY
_RANK_HOURS = 9 * DAY
_MONTH = 35 * DAY
"""A month in the days of any time zone."""


def _sums(name: str, grain: int, keys: tuple[str, ...], source: str | None, **facts: Any) -> Rollup:
    return Rollup(name=name, grain=grain, keys=keys, source=source, **facts)


def _times(name: str, grain: int, keys: tuple[str, ...], source: str | None, **facts: Any) -> Rollup:
    return Rollup(name=name, grain=grain, keys=(*keys, "service"), source=source, histogram=True, **facts)


def _frequent(keys: tuple[str, ...], what: str) -> tuple[Rollup, Rollup]:
    """The tables for users with many calls."""
    hour, day = f"sum_hour_user_{what}", f"sum_day_user_{what}"
    facts: dict[str, Any] = {"of_frequent": True, "of": ("user_id",)}
    return (
        _sums(hour, HOUR, ("user_id", *keys), CALLS, kept_ms=_MONTH, **facts),
        _sums(day, DAY, ("user_id", *keys), hour, **facts),
    )


def _frequent_times(keys: tuple[str, ...], what: str, kept_ms: int) -> tuple[Rollup, Rollup]:
    hour, day = f"time_hour_user_{what}", f"time_day_user_{what}"
    facts: dict[str, Any] = {"of_frequent": True, "of": ("user_id",)}
    return (
        _times(hour, HOUR, ("user_id", *keys), CALLS, kept_ms=kept_ms, **facts),
        _times(day, DAY, ("user_id", *keys), hour, **facts),
    )


def _ranks(keys: tuple[str, ...], what: str, **facts: Any) -> tuple[Rollup, ...]:
    """The tables of the users of a model, a route or a kind of error, and what they cost."""
    hour, day = f"rank_hour_{what}", f"rank_day_{what}"
    facts |= {"of": ("user_id",), "only": _RANKED}
    return (
        _sums(hour, HOUR, keys, CALLS, kept_ms=_RANK_HOURS, **facts),
        _sums(day, DAY, keys, hour, **facts),
        _sums(f"rank_5days_{what}", FIVE_DAYS, keys, day, **facts),
    )


def _tagged(keys: tuple[str, ...], what: str) -> tuple[Rollup, ...]:
    minute, hour, day = (f"sum_{grain}_{what}" for grain in ("minute", "hour", "day"))
    keys = ("tag", "tag_value", *keys)
    return (
        _sums(minute, MINUTE, keys, CALLS, kept_ms=_MINUTES, of_tags=True),
        _sums(hour, HOUR, keys, CALLS, of_tags=True),
        _sums(day, DAY, keys, hour, of_tags=True),
    )


def _tagged_times(keys: tuple[str, ...], what: str) -> tuple[Rollup, ...]:
    hour, day = f"time_hour_{what}", f"time_day_{what}"
    keys = ("tag", "tag_value", *keys)
    return (
        _times(hour, HOUR, keys, CALLS, of_tags=True),
        _times(day, DAY, keys, hour, of_tags=True),
    )


SUMS = (
    _sums("sum_minute_model", MINUTE, _BY_MODEL, None, kept_ms=_MINUTES),
    _sums("sum_minute_route", MINUTE, _BY_ROUTE, None, kept_ms=_MINUTES),
    _sums("sum_minute_both", MINUTE, _BY_BOTH, CALLS, kept_ms=DAY),
    _sums("sum_hour_both", HOUR, _BY_BOTH, CALLS),
    _sums("sum_hour_model", HOUR, _BY_MODEL, "sum_hour_both"),
    _sums("sum_hour_provider", HOUR, _BY_PROVIDER, "sum_hour_both", kept_ms=_MONTH),
    _sums("sum_hour_route", HOUR, _BY_ROUTE, "sum_hour_both"),
    _sums("sum_hour_user", HOUR, _BY_USER, CALLS, kept_ms=_MONTH),
    _sums("sum_hour_prompt", HOUR, _BY_PROMPT, CALLS, of=_PROMPT),
    _sums("sum_hour_version", HOUR, _BY_VERSION, "sum_hour_prompt", kept_ms=_MONTH, of=_PROMPT),
    _sums("sum_day_route", DAY, _BY_ROUTE, "sum_hour_route"),
    _sums("sum_day_model", DAY, _BY_MODEL, "sum_hour_model"),
    _sums("sum_day_both", DAY, _BY_BOTH, "sum_hour_both"),
    _sums("sum_day_provider", DAY, _BY_PROVIDER, "sum_hour_provider"),
    _sums("sum_day_user", DAY, _BY_USER, "sum_hour_user"),
    _sums("sum_day_prompt", DAY, _BY_PROMPT, "sum_hour_prompt", of=_PROMPT),
    _sums("sum_day_version", DAY, _BY_VERSION, "sum_day_prompt", of=_PROMPT),
    # By it users are ranked, and of them there are the most: without the status it has half the rows.
    _sums("sum_5days_user", FIVE_DAYS, ("user_id", "service"), "sum_day_user", of=("user_id",)),
    *_frequent(("model", "provider", "status", "error_type", "service"), "model"),
    *_frequent(("route", "status", "service"), "route"),
    *_ranks(("model", "user_id", "provider", "service"), "model"),
    *_ranks(("route", "user_id", "service"), "route"),
    *_ranks(("status", "error_type", "user_id", "service"), "failed", of_failed=True),
    _sums(
        "rank_day_provider",
        DAY,
        ("provider", "user_id", "service"),
        "rank_hour_model",
        only=_RANKED,
        of=("user_id",),
    ),
    _sums(
        "rank_5days_provider",
        FIVE_DAYS,
        ("provider", "user_id", "service"),
        "rank_day_provider",
        only=_RANKED,
        of=("user_id",),
    ),
    *_tagged(_BY_MODEL, "tag_model"),
    *_tagged(_BY_ROUTE, "tag_route"),
)
_MODEL = ("model", "provider")
HISTOGRAMS = (
    _times("time_minute", MINUTE, (), None, kept_ms=_MINUTES),
    _times("time_hour_both", HOUR, ("model", "route", "provider"), CALLS, kept_ms=_MONTH),
    _times("time_hour_model", HOUR, _MODEL, "time_hour_both"),
    _times("time_hour_route", HOUR, ("route",), "time_hour_both"),
    _times("time_hour", HOUR, (), "time_hour_route"),
    _times("time_day", DAY, (), "time_hour"),
    _times("time_day_model", DAY, _MODEL, "time_hour_model"),
    _times("time_day_route", DAY, ("route",), "time_hour_route"),
    _times("time_day_both", DAY, ("model", "route", "provider"), "time_hour_both"),
    _times("time_day_provider", DAY, ("provider", "route"), "time_day_both"),
    _times("time_5days_model", FIVE_DAYS, _MODEL, "time_day_model", of=_MODEL),
    _times("time_5days_route", FIVE_DAYS, ("route",), "time_day_route", of=("route",)),
    # By the hour nearly each call of a model and a route would have a row of its own.
    _times("time_hour_version", HOUR, _PROMPT, CALLS, kept_ms=_MONTH, of=_PROMPT),
    _times("time_day_version", DAY, _PROMPT, "time_hour_version", of=_PROMPT),
    _times("time_day_prompt", DAY, (*_PROMPT, "route", "model"), CALLS, of=_PROMPT),
    *_frequent_times(_MODEL, "model", _MONTH),
    *_frequent_times(("route",), "route", _RANK_HOURS),
    *_tagged_times(_MODEL, "tag_model"),
    *_tagged_times(("route",), "tag_route"),
)
EVER = (
    _sums("sum_28days_both", FOUR_WEEKS, _BY_BOTH, "sum_day_both"),
    _times("time_28days_both", FOUR_WEEKS, ("model", "route", "provider"), "time_day_both"),
)
"""Only for what is asked of all time at once; so no other question has more rows to read."""
LARGEST = (
    _sums(
        "largest_hour_user",
        HOUR,
        ("user_id",),
        CALLS,
        kept_ms=_MONTH,
        largest=True,
        of_frequent=True,
        of=("user_id",),
    ),
)
"""How much a call of a user has at most, so that the largest calls are sought in few hours."""
ROLLUPS = (*SUMS, *HISTOGRAMS, *EVER, *LARGEST)
FIRST = frozenset(
    {
        *("sum_minute_model", "sum_minute_route", "sum_hour_model", "sum_hour_route", "sum_hour_both"),
        *("sum_hour_user", "sum_day_route", "sum_day_model", "sum_day_both", "sum_day_user"),
        *("sum_5days_user", "time_minute", "time_hour", "time_hour_model", "time_hour_route", "time_day"),
        *("time_day_model", "time_day_route", "time_day_both", "time_5days_model", "time_5days_route"),
    }
)
"""The tables of the first schema with sums. In it each had every call that was folded in."""
OF_PROMPTS = frozenset(
    {
        *("sum_hour_prompt", "sum_hour_version", "sum_day_prompt", "sum_day_version"),
        *("time_hour_version", "time_day_version", "time_day_prompt"),
    }
)
"""The tables by prompt: schemas before that of prompts have none of them."""
_INTEGERS = {"t", "timing", "block"}


def named(name: str) -> Rollup:
    return next(rollup for rollup in ROLLUPS if rollup.name == name)


def ddl(rollup: Rollup, options: str = "") -> str:
    """The statement that makes the table; ``options`` is what the engine wants behind it."""
    columns = [
        *(f"{name} {'BIGINT' if name in _INTEGERS else 'TEXT'} NOT NULL" for name in rollup.key_columns),
        *(f"{name} BIGINT NOT NULL" for name in rollup.measures),
    ]
    return (
        f"CREATE TABLE {rollup.name} ({', '.join(columns)}, "
        f"PRIMARY KEY ({', '.join(rollup.key_columns)})){options}"
    )
