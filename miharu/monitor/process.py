"""The one monitor of this process, and the public functions over it."""

import logging
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from miharu._guard import say_once
from miharu.config import UNSET, Config, Length, Unset, database_file
from miharu.config.platform import platform_without_disk
from miharu.config.refusal import refused
from miharu.errors import ConfigError
from miharu.monitor.figures import NOTHING, Stats
from miharu.monitor.monitor import Monitor

if TYPE_CHECKING:  # the program's own thread imports as little as can be
    from miharu._alert import Alert
    from miharu._budget import Budget
    from miharu._price import Price
    from miharu.call import Call
    from miharu.exporters.base import Exporter
    from miharu.pricing.base import Prices
    from miharu.providers.base import Provider

__all__ = (
    "aflush",
    "ashutdown",
    "begin_implied",
    "check_budget",
    "current",
    "flush",
    "init",
    "shutdown",
    "stats",
)

logger = logging.getLogger("miharu")

_current: Monitor | None = None
_implied = False
"""Whether the current one was begun by ``miharu run``: the program's own ``init()`` replaces it."""
_changing = threading.Lock()
REPLACED_S = 2.0
"""How long ``init()`` waits for calls to be stored that were made before it; the others are spooled."""

_ELSEWHERE = (
    "Set MIHARU_DATABASE_URL to another miharu (https://token@host) or to PostgreSQL, and call "
    "miharu.flush() at the end of each invocation."
)


def current() -> Monitor | None:
    """The monitor of this process, if ``init()`` was called and miharu is not disabled."""
    return _current


def init(
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
) -> None:
    """Watch every LLM call that this process makes (httpx, httpx2, aiohttp, urllib3). Returns at once.

    Clients that exist already and libraries imported later are covered. Called again with the same
    arguments it does nothing; with others it warns, and the first stays.

    Args:
        database: A path or a URL; by default ``MIHARU_DATABASE_URL``, else a file in ``.miharu/``.
        service: The name of this program, stored with each call; by default ``MIHARU_SERVICE``.
        capture_content: Whether prompts and answers are kept; by default ``MIHARU_CAPTURE_CONTENT``, else no.
        search: Whether prompts and answers that are kept can be searched for words; by default
            ``MIHARU_SEARCH``, else yes.
        estimate_usage: Whether tokens are guessed, and marked so, where the provider reports none; by default
            ``MIHARU_ESTIMATE_USAGE``, else no.
        retention: How long calls are kept: days, a ``timedelta``, a text such as ``90d``, or ``None`` for
            ever; by default ``MIHARU_RETENTION``, else for ever.
        content_retention: The same for prompts and answers; by default ``MIHARU_CONTENT_RETENTION``, else
            30 days.
        tag_sums: Names of tags by which sums are kept, so that a page filtered by one is as quick as any.
        budgets: What calls may cost; by default ``MIHARU_BUDGET``, else anything.
        alerts: What is to be told of when calls change for the worse: ``miharu.Alert`` objects, or texts such
            as ``errors>5% route:/refund over:15m``; by default ``MIHARU_ALERTS``, else nothing.
        prices: What your own models cost, on top of the built-in prices: ``miharu.Price`` objects by model;
            or an object that knows all prices instead of them.
        update_prices: Whether genai-prices fetches newer prices once an hour; by default not, because that is
            a request.
        providers: Wire formats of your own, tried before the built-in ones.
        exporters: Where calls go beside the database: names such as ``otlp``, or objects; by default
            ``MIHARU_EXPORTERS``, else nowhere.
        redact: What is done with prompts and answers before they are kept: a function from a text or a JSON
            object to the same. Credentials are taken out before, in any case.
        ignore: Which calls are left out: hosts and paths such as ``*.example.com/v1/embeddings``, routes such
            as ``route:/admin/*``, functions of a call; by default ``MIHARU_IGNORE``, else none.

    Raises:
        ConfigError: An argument is not valid. (An environment variable that is not valid is logged, and
            miharu stays off.)
    """
    try:
        config = Config.resolve(
            database,
            service=service,
            capture_content=capture_content,
            search=search,
            estimate_usage=estimate_usage,
            retention=retention,
            content_retention=content_retention,
            tag_sums=tag_sums,
            budgets=budgets,
            alerts=alerts,
            prices=prices,
            update_prices=update_prices,
            providers=providers,
            exporters=exporters,
            redact=redact,
            ignore=ignore,
        )
        fresh = Monitor(config)
    except ConfigError as error:
        environment = error.setting == "database" and database is None
        if not environment and not str(error.setting).startswith("MIHARU_"):
            raise
        _stay_off(error)
        return
    _begin(fresh)


def begin_implied() -> None:
    """Watch for ``miharu run``, as ``init()`` does. The first call starts the recorder.

    The program's own ``init()`` wins over it, without a warning; until a call has been made, nothing is left
    of this one.
    """
    try:
        fresh = Monitor(Config.resolve())
    except ConfigError as error:
        _stay_off(error)
        return
    _begin(fresh, implied=True)


def _begin(fresh: Monitor, *, implied: bool = False) -> None:
    """Make this the monitor of the process, unless there is one that stays."""
    global _current, _implied  # noqa: PLW0603 - one monitor a process
    config = fresh.config
    with _changing:
        if _current is not None and (implied or not _implied):
            if _current.config != config and not implied:
                logger.warning("miharu: init() was called again with other arguments; the first ones stay.")
            return
        if _current is not None and _current.config == config:
            _implied = False
            _current.record()
            return
        if _current is not None:
            replaced, _current = _current, None
            replaced.stop(REPLACED_S, replaced=True)
        if config.disabled:
            logger.info("miharu: switched off by MIHARU_DISABLED.")
            return
        try:
            fresh.start(recording=not implied)
        except BaseException:  # in a notebook the user's hand may come at any time
            fresh.stop(0)
            raise
        _current, _implied = fresh, implied
    logger.info("miharu: calls are kept in %s", fresh.database_name)
    _say_that_no_file_lasts(config)


def _stay_off(error: ConfigError) -> None:
    logger.warning("miharu: %s Until then it stays off; your program is not affected.", error)
    if error.setting == "database" and (platform := platform_without_disk()):
        logger.warning("miharu: this is %s. %s", platform, _ELSEWHERE)


def _say_that_no_file_lasts(config: Config) -> None:
    """Warn where the calls would be gone with the instance, and go nowhere else."""
    platform = platform_without_disk()
    if platform is None or config.exporters or database_file(config.database) is None:
        return
    say_once(
        "this is %s, where no file outlasts the instance, and calls are kept in one. %s", platform, _ELSEWHERE
    )


def shutdown(timeout: float = 5.0) -> bool:
    """Stop watching, store what there is and close; whether that was done in time (seconds).

    Raises:
        ConfigError: ``timeout`` is not a number of seconds.
    """
    global _current
    seconds = _seconds("shutdown", timeout)
    with _changing:
        monitor, _current = _current, None
    return monitor is None or monitor.stop(seconds)


async def ashutdown(timeout: float = 5.0) -> bool:  # noqa: ASYNC109 - the same contract as its sync twin
    """Like ``shutdown``, without blocking the loop."""
    import anyio

    return await anyio.to_thread.run_sync(shutdown, timeout)


def flush(timeout: float = 5.0) -> bool:
    """Wait until every call so far is stored; whether that was done in time (seconds).

    Raises:
        ConfigError: ``timeout`` is not a number of seconds.
    """
    seconds = _seconds("flush", timeout)
    return _current is None or _current.flush(seconds)


async def aflush(timeout: float = 5.0) -> bool:  # noqa: ASYNC109 - the same contract as its sync twin
    """Like ``flush``, without blocking the loop."""
    import anyio

    return await anyio.to_thread.run_sync(flush, timeout)


def _seconds(function: str, timeout: object) -> float:
    """A time-out that threads can wait for, from 0 to the longest they can."""
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or timeout != timeout:  # noqa: PLR0124 - not a number
        raise refused(f"{function}(timeout)", timeout, "give seconds as a number, such as 5 or 0.5")
    return max(0.0, min(float(timeout), threading.TIMEOUT_MAX / 2))


def check_budget(
    *, user: object = None, route: str | None = None, tags: Mapping[str, str] | None = None
) -> None:
    """Return, unless calls made here would be refused: ask before the work begins.

    It goes by what is known in memory; after ``miharu.flush()`` that is all that was stored so far.

    Args:
        user: Caller calls, as ``miharu.context`` takes it; by default the one that was given there.
        route: On which route; by default the one that is being answered.
        tags: With which tags, beside those of ``miharu.context``.

    Raises:
        BudgetExceeded: A budget with ``refuse=True`` is used up.
        ConfigError: ``tags`` are not names and values.
    """
    if tags is not None and not isinstance(tags, Mapping):
        raise refused("tags", tags, "give names and values, such as {'team': 'search'}")
    if _current is not None:
        _current.check_budget(None if user is None else str(user), route, tags)


def stats() -> Stats:
    """What this process has done so far; zeros where miharu is off."""
    if _current is not None:
        return _current.stats()
    return {**NOTHING, "budgets": []}


def _at_fork(what: str) -> None:
    if _current is not None:
        getattr(_current, what)()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=lambda: _at_fork("before_fork"),
        after_in_parent=lambda: _at_fork("after_fork_in_parent"),
        after_in_child=lambda: _at_fork("after_fork_in_child"),
    )
