"""Which requests were answered already, so that the same request asked again is known as a duplicate."""

from collections import OrderedDict
from dataclasses import dataclass
from hashlib import blake2b

from miharu.call import Call, filled

__all__ = ("Duplicates",)

REMEMBERED = 10_000
REMEMBERED_MS = 24 * 3_600_000
"""How long a request is remembered after it was asked last."""


@dataclass(frozen=True, slots=True)
class _Answer:
    id: str
    """Of the call that was answered first."""
    group: str | None
    since: int
    last: int


class Duplicates:
    """Remembers the requests that were answered last, by hash, as many as ``REMEMBERED``."""

    def __init__(self) -> None:
        self._answers: OrderedDict[bytes, _Answer] = OrderedDict()

    def compare(self, call: Call) -> Call:
        """The call, with the id of the one that had been answered before this one began, if there was one.

        Only what was answered counts, on both sides: a failed attempt is waste of another kind.
        """
        if call.body_hash is None or call.outcome.status != "success":
            return call
        # Azure, Gemini and Bedrock name the model in the path, so the same body may ask another one.
        asked = "\0".join((call.body_hash, call.api, call.host or "", call.request_model or call.model or ""))
        key, ended = blake2b(asked.encode(), digest_size=16).digest(), call.timestamp + call.duration_ms
        known = self._answers.pop(key, None)
        if known is None or call.timestamp > known.last + REMEMBERED_MS:
            self._answers[key] = _Answer(call.id, call.call_group, ended, ended)
            if len(self._answers) > REMEMBERED:
                self._answers.popitem(last=False)
            return call
        is_again = known.since <= call.timestamp and known.group != call.call_group
        self._answers[key] = _Answer(known.id, call.call_group, known.since, max(known.last, ended))
        return filled(call, duplicate_of=known.id) if is_again else call
