"""Moments that the program names, such as a deploy: drawn on the charts, and to compare around."""

import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime

from miharu._bounds import is_recent
from miharu._guard import swallowed
from miharu.attribution import records
from miharu.batch import Marker
from miharu.call import new_id

__all__ = ("LONGEST_NAME", "made", "mark")

logger = logging.getLogger("miharu")

LONGEST_NAME = 200
"""Characters of a name."""
_MOST_TAGS = 20


def mark(
    name: str,
    at: datetime | float | None = None,
    *,
    service: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> None:
    """Mark a moment on the charts, such as a deploy or a change of a setting.

    What is not valid is logged and not kept: it never raises.

    Args:
        name: What happened, such as ``deploy 1.4``.
        at: When: a ``datetime``, or seconds since 1970; now by default.
        service: The program that it is about.
        tags: What else there is to say.
    """
    try:
        records.leave(made(name, at, service=service, tags=tags))
    except (TypeError, ValueError, OverflowError) as error:
        logger.warning("miharu: a marker was not kept. %s", error)
    except Exception:  # noqa: BLE001 - the guard on the user's path
        swallowed("miharu.mark()")


def made(
    name: object,
    at: object = None,
    *,
    service: str | None = None,
    tags: Mapping[str, str] | None = None,
    now: float | None = None,
) -> Marker:
    """The marker.

    Raises:
        ValueError: A value is not valid; the message says which, and what would be.
    """
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"name={name!r}: give a text that says what happened, such as 'deploy 1.4'.")
    if service is not None and not isinstance(service, str):
        raise ValueError(f"service={service!r}: give the name of the program as a text.")
    now = time.time() if now is None else now
    timestamp = _moment(at, now)
    if tags is not None and not isinstance(tags, Mapping):
        raise ValueError(f"tags={tags!r}: give a mapping of names to values, such as {{'by': 'ci'}}.")
    kept = {
        str(key)[:LONGEST_NAME]: str(value)[:LONGEST_NAME]
        for key, value in [*(tags or {}).items()][:_MOST_TAGS]
    }
    return Marker(
        id=new_id(timestamp),
        timestamp=timestamp,
        name=name.strip()[:LONGEST_NAME],
        service=None if service is None else str(service)[:LONGEST_NAME],
        tags=kept or None,
    )


def _moment(at: object, now: float) -> int:
    if at is None:
        return int(now * 1000)
    if isinstance(at, datetime):
        seconds = (at if at.tzinfo is not None else at.astimezone(UTC)).timestamp()
    elif isinstance(at, int | float) and not isinstance(at, bool) and abs(at) < 1e11:
        seconds = float(at)
    else:
        seconds = -1.0
    if not is_recent(int(seconds * 1000), now):
        raise ValueError(
            f"at={at!r}: give a datetime, or seconds since 1970, between 2015 and tomorrow; or leave it out."
        )
    return int(seconds * 1000)
