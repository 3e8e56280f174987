"""Results of a batch -> calls: each line is a call, the same one whenever it is fetched.

Its id is made of what the provider has called it, and of when it was answered, so a store that has it already
keeps the one that it has. Where a line does not say when, the end of the batch holds, which a program asks
for before it fetches the results.
"""

from collections import OrderedDict
from dataclasses import replace
from hashlib import blake2b

from miharu._bounds import LONGEST
from miharu._ids import new_id
from miharu.call import BATCH, Call, Cost, Outcome, Status
from miharu.providers.base import Reading, Wire
from miharu.providers.batches import Line, Results

__all__ = ("Batches", "Known", "outcome_of_line", "row_of")

REMEMBERED = 4096
_FIRST_MS = 1_672_531_200_000
"""2023, in Unix milliseconds: no batch of this kind is older."""
_AHEAD_MS = 86_400_000
_NOT_BILLED = Cost(cost_nanousd=0, cost_source="not-billed:provider")


class Known:
    """A batch of which this process has heard."""

    __slots__ = ("batch", "ended_ms", "is_read")

    def __init__(self) -> None:
        self.batch: str | None = None
        self.ended_ms: int | None = None
        self.is_read = False
        """All of its results were read by this process."""


class Batches:
    """Remembers batches by the names under which their results are fetched, as many as ``REMEMBERED``."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], Known] = OrderedDict()

    def heard(self, host: str, results: Results, now: int) -> Known:
        """What is known of the batch under the first name, with what this exchange says.

        Args:
            host: Who says it.
            results: What it says.
            now: Unix milliseconds; what ended much later did not.
        """
        each = [self._known.setdefault((host, name[:LONGEST]), Known()) for name in results.names]
        for known in each:
            known.batch = known.batch or results.batch
            if results.ended_ms and _FIRST_MS <= results.ended_ms <= now + _AHEAD_MS:
                known.ended_ms = known.ended_ms or results.ended_ms
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return each[0]


def row_of(call: Call, line: Line, known: Known, name: str) -> Call:
    """The call as it is in a batch.

    Args:
        call: As the line alone says, made by the exchange that fetched it.
        line: The line.
        known: Its batch.
        name: Under which the results were fetched.
    """
    at = line.at_ms
    if at is None or not _FIRST_MS <= at <= call.timestamp + _AHEAD_MS:
        at = known.ended_ms = known.ended_ms or call.timestamp  # the same for all that this process fetches
    own = "\0".join((call.provider or call.host or "", name, line.key, line.custom_id or ""))
    id_ = new_id(at, blake2b(own.encode("utf-8", "replace"), digest_size=10).digest())
    told = {"batch": known.batch or name} | ({"custom_id": line.custom_id} if line.custom_id else {})
    return replace(
        call,
        id=id_,
        span_id=id_.replace("-", "")[16:],
        timestamp=at,
        duration_ms=0,
        ttft_ms=None,
        service_tier=BATCH,
        attempt=1,
        body_hash=None,
        rate_limit=None,
        outcome=outcome_of_line(line.wire, line.reading),
        cost=call.cost if line.is_billed else _NOT_BILLED,
        tags={**{key: value[:LONGEST] for key, value in told.items()}, **(call.tags or {})},
    )


def outcome_of_line(wire: Wire, reading: Reading) -> Outcome:
    """How a request of a batch ended: by its line alone, which is whole."""
    if reading.is_error or (wire.status or 0) >= 400:
        kind = (reading.error_type or str(wire.status or "error"))[:200]
        return Outcome(
            status="error", http_status=wire.status, error_type=kind, error_message=reading.error_message
        )
    status: Status = "cancelled" if reading.finish_reason == "cancelled" else "success"
    return Outcome(status=status, http_status=wire.status)
