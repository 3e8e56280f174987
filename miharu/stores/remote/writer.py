"""Sends batches to another miharu, on the recorder's thread."""

import http.client
from collections.abc import Callable, Mapping
from dataclasses import replace

from miharu._guard import say_once
from miharu.batch import Batch
from miharu.call import Cost
from miharu.errors import StoreError
from miharu.stores.base import Forgotten, Whose
from miharu.stores.remote.address import address_of
from miharu.stores.remote.exchange import Connection
from miharu.stores.remote.refusals import TooMuch, checked, unreachable
from miharu.wire.batches import LARGEST_SENT, MOST_SENT, sent

__all__ = ("PATH", "RemoteWriter")

PATH = "/v1/miharu"
KIND = "application/vnd.miharu.batch"


class RemoteWriter:
    """Sends what is to be kept. What was sent twice is kept once, because it goes by its ids."""

    def __init__(self, url: str, meanwhile: Callable[[], object] = bool) -> None:
        """Prepare; nothing is sent yet.

        Args:
            url: ``miharu+https://token@host``.
            meanwhile: Called about ten times a second while an answer takes its time.
        """
        self._address = address_of(url)
        self._connection = Connection(self._address, meanwhile)

    def open(self) -> None:
        """Send a batch without calls, so that a wrong address or token is known at the start."""
        self._send(Batch())

    def add(self, batch: Batch) -> int:
        """Send the batch, in pieces if it is more than is taken at once."""
        if _number(batch) > MOST_SENT or _weight(batch) > LARGEST_SENT // 2:
            return self._in_two(batch)
        try:
            return self._send(batch)
        except TooMuch:
            return self._in_two(batch)

    def reprice(self, costs: Mapping[str, Cost | None]) -> int:  # noqa: ARG002 - the seam's
        """Refuse: prices change where the calls are.

        Raises:
            StoreError: Always.
        """
        raise StoreError(f"{self._address.name} keeps these calls: run miharu reprice there.")

    def prune(self, before: int, *, content_only: bool = False, limit: int | None = None) -> int:  # noqa: ARG002 - the seam's
        """Nothing: how long calls are kept is a setting of the other one."""
        return 0

    def forget(self, whose: Whose, limit: int | None = None) -> Forgotten:  # noqa: ARG002 - the seam's
        """Refuse: a user is forgotten where the calls are.

        Raises:
            StoreError: Always.
        """
        raise StoreError(f"{self._address.name} keeps these calls: run miharu prune there.")

    def roll_up(self) -> bool:
        """Nothing is left to do: sums are made there."""
        return False

    def close(self) -> None:
        self._connection.close()

    def _send(self, batch: Batch) -> int:
        try:
            answer = self._connection.post(PATH, sent(batch), KIND)
        except (OSError, http.client.HTTPException) as error:
            raise unreachable(error, self._address.name) from error
        checked(answer, self._address.name)
        return len(batch.calls)

    def _in_two(self, batch: Batch) -> int:
        """Send the first half, and then the second; of a single call that is too large, all but its body."""
        if _number(batch) > 1:
            return sum(self.add(half) for half in _halves(batch))
        if batch.calls and batch.calls[0].body is not None:
            say_once(
                "%s takes no prompts and answers as large as some of these: the calls are kept without them.",
                self._address.name,
            )
            return self.add(replace(batch, calls=[replace(batch.calls[0], body=None)]))
        raise ValueError(f"{self._address.name} takes nothing as large as this, even alone")


def _number(batch: Batch) -> int:
    return len(batch.calls) + len(batch.spans) + len(batch.scores) + len(batch.markers)


def _weight(batch: Batch) -> int:
    """Bytes of the content."""
    bodies = [call.body for call in batch.calls if call.body is not None]
    return sum(len(body.request or b"") + len(body.response or b"") for body in bodies)


def _halves(batch: Batch) -> tuple[Batch, Batch]:
    calls, half = list(batch.calls), _number(batch) // 2
    spans, scores, markers = list(batch.spans), list(batch.scores), list(batch.markers)
    rest = max(0, half - len(calls))
    more = max(0, rest - len(spans))
    last = max(0, more - len(scores))
    return (
        Batch(calls=calls[:half], spans=spans[:rest], scores=scores[:more], markers=markers[:last]),
        Batch(calls=calls[half:], spans=spans[rest:], scores=scores[more:], markers=markers[last:]),
    )
