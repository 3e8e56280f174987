"""What the formats share that count other things than tokens, and whose work may go on after the answer.

An answer that names a job opens a call (``Reading.opens``). A later ``GET`` that finds the job ended
completes that call; one that finds it running is not a call.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from miharu.call import Usage
from miharu.wire.json import dumps, text

__all__ = ("stated", "unix_ms")


def stated(**facts: Any) -> Usage:
    """What an answer counts in other units than tokens, such as seconds, characters or images, as it is."""
    known = {name: value for name, value in facts.items() if value not in (None, "", {}, [])}
    return Usage(usage_source="provider", usage_raw=dumps(known)) if known else Usage()


def unix_ms(holder: Mapping[str, Any], name: str) -> int | None:
    """The moment in that field, an ISO 8601 text, in Unix milliseconds."""
    try:
        return round(datetime.fromisoformat(text(holder.get(name)) or "").timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        return None
