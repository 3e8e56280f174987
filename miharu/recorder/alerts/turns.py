"""When each alert began to fire and was over: markers, of which a store keeps the first of each id.

A turn has a number, and its id is made of the alert and that number. Of several processes that see the same
change each leaves a marker with the same id; the one whose marker was kept tells of it. The store remembers
all that over restarts.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from miharu._alert import Alert, AlertChange
from miharu.batch import Marker, MarkerKind
from miharu.stores.base import Questions

__all__ = ("CHANGES", "EVER", "Turn", "marker_of", "turn_of", "turns_in")

CHANGES: tuple[MarkerKind, ...] = ("firing", "resolved")
EVER = 253_402_300_800_000
"""The year 10000."""
_OF_ONE = 20


@dataclass(frozen=True, slots=True)
class Turn:
    """One change of an alert."""

    key: str
    number: int
    is_firing: bool
    at: int
    by: str
    """Of the process that tells of it."""
    text: str


def marker_of(alert: Alert, change: AlertChange, number: int, by: str) -> Marker:
    """The marker of a change."""
    tags = {
        "alert": alert.key,
        "turn": str(number),
        "by": by,
        "when": alert.when,
        "over": alert.over,
        "text": change.text,
    }
    return Marker(
        id=f"alert-{alert.key}-{number}",
        timestamp=change.at,
        name=alert.name,
        kind=change.state,
        tags=tags,
    )


def turn_of(marker: Marker) -> Turn | None:
    """The change that a marker stands for; ``None`` where it was not made here."""
    tags = marker.tags or {}
    number = tags.get("turn", "")
    if marker.kind not in CHANGES or "alert" not in tags or not (number.isascii() and number.isdecimal()):
        return None
    return Turn(
        key=tags["alert"],
        number=int(number[:15]),
        is_firing=marker.kind == "firing",
        at=marker.timestamp,
        by=tags.get("by", ""),
        text=tags.get("text", ""),
    )


async def turns_in(store: Questions, alerts: Sequence[Alert]) -> Mapping[str, Mapping[int, Turn]]:
    """The newest turns of each alert, by number."""
    found: dict[str, dict[int, Turn]] = defaultdict(dict)
    keys = {alert.key for alert in alerts}
    for marker in await store.markers(0, EVER, kinds=CHANGES):
        turn = turn_of(marker)
        if turn is not None and turn.key in keys:
            found[turn.key][turn.number] = turn
    for alert in alerts:
        if alert.key in found:
            continue
        for marker in await store.markers(0, EVER, kinds=CHANGES, name=alert.name, limit=_OF_ONE):
            turn = turn_of(marker)
            if turn is not None and turn.key == alert.key:
                found[alert.key][turn.number] = turn
    return found
