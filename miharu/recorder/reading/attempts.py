"""Which calls are tries of one logical call: an SDK sends the same body again after a failure that may pass.

Some say which try it is (``x-stainless-retry-count``); of others the same body, to the same host, from the
same request of the host app, shortly after such a failure, is the next try.
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

from miharu.call import Call, filled

__all__ = ("Attempts",)

REMEMBERED = 4096
RETRIED_WITHIN_MS = 120_000
_MAY_PASS = {None, 408, 409, 425, 429}


@dataclass(frozen=True, slots=True)
class _Last:
    group: str
    attempt: int
    ended: int
    may_pass: bool


class Attempts:
    """Remembers the last try of each body, as many as ``REMEMBERED``."""

    def __init__(self) -> None:
        self._last: OrderedDict[Hashable, _Last] = OrderedDict()

    def place(self, call: Call) -> Call:
        """The call with its number among the tries, and the id of the first one as the group.

        Args:
            call: As read. Its ``attempt`` is what the SDK says, or ``None``; so is its trace, if it is of
                no request, job or span.
        """
        if call.body_hash is None:
            return _placed(call, call.attempt or 1, call.id)
        key: Hashable = (call.body_hash, call.host, call.api, call.trace_id)
        last = self._last.pop(key, None)
        goes_on = last is not None and last.may_pass and call.timestamp - last.ended <= RETRIED_WITHIN_MS
        if call.attempt is not None:
            goes_on = last is not None and call.attempt == last.attempt + 1
        attempt, group = call.attempt or 1, call.id
        if goes_on and last is not None:
            attempt, group = last.attempt + 1, last.group
        status = call.outcome.http_status
        self._last[key] = _Last(
            group=group,
            attempt=attempt,
            ended=call.timestamp + call.duration_ms,
            may_pass=call.outcome.status == "error" and (status in _MAY_PASS or (status or 0) >= 500),
        )
        if len(self._last) > REMEMBERED:
            self._last.popitem(last=False)
        return _placed(call, attempt, group)


def _placed(call: Call, attempt: int, group: str) -> Call:
    """The call with its attempt and group; tries outside of any trace become a trace of their own."""
    trace_id = call.trace_id or group.replace("-", "")
    return filled(call, attempt=attempt, call_group=group, trace_id=trace_id)
