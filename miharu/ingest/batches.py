"""What another miharu sends: a batch, stored whole or not at all, and once, since it goes by its ids."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from miharu._bounds import is_recent
from miharu.batch import Batch, Marker, Score, Span
from miharu.ingest.answer import STORED_WITHIN_S, Answer, Refusal, Sent, as_json
from miharu.ingest.clean import clean
from miharu.recorder.reading.redactor import Redactor
from miharu.wire.batches import LARGEST_SENT, NotABatch, TooLarge, UnknownForm, received

if TYPE_CHECKING:
    from miharu.call import Call
    from miharu.monitor import Monitor

__all__ = ("Batches",)


class Batches:
    """Takes in batches of other miharus."""

    largest = LARGEST_SENT

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        """Unix seconds."""

    def take(self, sent: Sent, monitor: "Monitor") -> Answer:
        try:
            batch = received(sent.body)
        except UnknownForm as error:
            raise Refusal(415, str(error)) from error
        except TooLarge as error:
            raise Refusal(413, str(error)) from error
        except NotABatch as error:
            raise Refusal(400, str(error)) from error
        self._check_times(batch)
        if batch:
            monitor.take_in(clean(batch, Redactor()), STORED_WITHIN_S)
        counts = {"calls": len(batch.calls), "spans": len(batch.spans), "scores": len(batch.scores)}
        if batch.markers:
            counts["markers"] = len(batch.markers)
        return as_json(200, counts)

    def _check_times(self, batch: Batch) -> None:
        now = self._clock()
        values: list[Call | Span | Score | Marker] = [
            *batch.calls,
            *batch.spans,
            *batch.scores,
            *batch.markers,
        ]
        for value in values:
            if not is_recent(value.timestamp, now):
                kind = type(value).__name__.lower()
                raise Refusal(
                    400,
                    f"A {kind} of this batch is from before 2015, or more than a day ahead; set the clock of "
                    "the program's machine right, or that of this miharu.",
                )

    def refused(self, refusal: Refusal, headers: Mapping[str, str]) -> Answer:  # noqa: ARG002 - the seam's
        return as_json(refusal.status, {"error": str(refusal)}, refusal.headers)
