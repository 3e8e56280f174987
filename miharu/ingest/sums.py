"""What another miharu asks for its budgets: a few sums over the calls that are stored here."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from miharu.ingest.answer import Answer, Refusal, Sent, as_json
from miharu.stores.remote.sums import Asked, answered

if TYPE_CHECKING:
    from miharu.monitor import Monitor

__all__ = ("Sums",)


class Sums:
    """Answers what budgets of other programs ask."""

    largest = 64 << 10

    def take(self, sent: Sent, monitor: "Monitor") -> Answer:
        import msgspec

        try:
            asked = msgspec.json.decode(sent.body, type=Asked)
        except (ValueError, RecursionError) as error:
            raise Refusal(400, f"This question is not understood: {error}.") from error
        try:
            found = monitor.read_sync(lambda: answered(asked, monitor.questions))
        except ValueError as error:
            raise Refusal(400, f"This question is not understood: {error}.") from error
        return Answer(200, msgspec.json.encode(found))

    def refused(self, refusal: Refusal, headers: Mapping[str, str]) -> Answer:  # noqa: ARG002 - the seam's
        return as_json(refusal.status, {"error": str(refusal)}, refusal.headers)
