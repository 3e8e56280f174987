"""The alerts of the environment, and those whose last change the database has.

Those that a program states in its own code are known only by what became of them.
"""

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from miharu.batch import Marker
from miharu.cli._database.reading import ask, reading
from miharu.cli._output import printable
from miharu.cli._range import moment_words
from miharu.cli.doctor.finding import Finding
from miharu.config import MEMORY, Config
from miharu.errors import ConfigError, MiharuError
from miharu.recorder.alerts.turns import CHANGES, EVER, turn_of

if TYPE_CHECKING:
    from miharu.stores.base import Questions

__all__ = ("findings",)

_RECENT_MS = 7 * 86_400_000
_SHOWN = 20


def findings(database: str | None) -> Iterator[Finding]:
    """A line for each alert that is stated, fires, or was over within a week; none where there are none."""
    try:
        stated = Config.resolve(MEMORY).alerts
    except ConfigError:  # it is said where the variables are
        stated = ()
    for alert in stated:
        hook = "told to a webhook" if alert.webhook else "told in the log alone"
        yield Finding("note", printable(f"{alert.name}: {alert.when} over {alert.over}, {hook}"))
    try:
        with reading(database, say=lambda _: None) as monitor:
            changes = _last_changes(ask(monitor, _changes))
    except (MiharuError, OSError):  # it is said where the database is
        return
    for marker in changes[:_SHOWN]:
        tags = marker.tags or {}
        when = f" ({tags['when']})" if tags.get("when", marker.name) != marker.name else ""
        state = "firing since" if marker.kind == "firing" else "resolved at"
        text = f"{marker.name}{when}: {state} {moment_words(marker.timestamp)}, {tags.get('text', '')}"
        yield Finding("warn" if marker.kind == "firing" else "ok", printable(text))


async def _changes(store: "Questions") -> "Sequence[Marker]":
    return await store.markers(0, EVER, kinds=CHANGES)


def _last_changes(found: "Sequence[Marker]") -> list[Marker]:
    since = time.time_ns() // 1_000_000 - _RECENT_MS
    newest: dict[str, tuple[int, Marker]] = {}
    for marker in found:
        turn = turn_of(marker)
        if turn is not None and turn.number > newest.get(turn.key, (0, marker))[0]:
            newest[turn.key] = (turn.number, marker)
    changes = [marker for _, marker in newest.values() if marker.timestamp >= since]
    return sorted(changes, key=lambda marker: (marker.kind != "firing", -marker.timestamp))
