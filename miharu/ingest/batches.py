"""What another miharu sends: a batch, stored whole or not at all, and once, since it goes by its ids."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from miharu.ingest.answer import STORED_WITHIN_S, Answer, Refusal, Sent, as_json
from miharu.ingest.clean import clean
from miharu.recorder.reading.redactor import Redactor
from miharu.wire.batches import LARGEST_SENT, NotABatch, TooLarge, UnknownForm, received

if TYPE_CHECKING:
    from miharu.monitor import Monitor

__all__ = ("Batches",)


class Batches:
    """Takes in batches of other miharus."""

    largest = LARGEST_SENT

    def take(self, sent: Sent, monitor: "Monitor") -> Answer:
        try:
            batch = received(sent.body)
        except UnknownForm as error:
            raise Refusal(415, str(error)) from error
        except TooLarge as error:
            raise Refusal(413, str(error)) from error
        except NotABatch as error:
            raise Refusal(400, str(error)) from error
        if batch:
            monitor.take_in(clean(batch, Redactor()), STORED_WITHIN_S)
        return as_json(
            200, {"calls": len(batch.calls), "spans": len(batch.spans), "scores": len(batch.scores)}
        )

    def refused(self, refusal: Refusal, headers: Mapping[str, str]) -> Answer:  # noqa: ARG002 - the seam's
        return as_json(refusal.status, {"error": str(refusal)}, refusal.headers)
