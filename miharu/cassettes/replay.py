"""Which recorded exchange answers a request: the first that is the same and was not used yet."""

import threading
from collections.abc import Sequence
from dataclasses import replace

from miharu.cassettes.bodies import as_bytes
from miharu.cassettes.nearest import told
from miharu.cassettes.question import Ignored, Question, same
from miharu.cassettes.recorded import Asked, Recorded

__all__ = ("MARK", "REFUSED", "Replay")

MARK = "x-miharu-replayed"
"""The header of each answer out of a file: which exchange it is, from 1."""

REFUSED = 400
"""The status of the answer to a request that was not recorded: no SDK tries again after it."""
_MOST_TOLD = 100
_WAITS = ("retry-after", "retry-after-ms")


class Replay:
    """Answers requests out of a list of exchanges; several threads may ask at once."""

    def __init__(
        self,
        exchanges: Sequence[Recorded],
        *,
        where: str,
        places: Ignored = (),
        reuse: bool = False,
        paced: bool = False,
        passes_on: bool = False,
    ) -> None:
        """Prepare.

        Args:
            exchanges: What was recorded.
            where: What is said of the file.
            places: What is not compared.
            reuse: Whether the last one that is the same answers again, when all were used.
            paced: Whether answers come when they came, or at once.
            passes_on: Whether what was not recorded goes out.
        """
        self.exchanges = list(exchanges)
        self.where = where
        self.paced = paced
        self.passes_on = passes_on
        self.missed: list[str] = []
        """What is to be said of each request that was not recorded."""
        self._places = places
        self._reuse = reuse
        self._used = [False] * len(self.exchanges)
        self._lock = threading.Lock()

    @property
    def unused(self) -> list[int]:
        """The numbers of the exchanges that nothing was answered with, from 1."""
        return [number for number, used in enumerate(self._used, 1) if not used]

    def answer(self, question: Question) -> Recorded | None:
        """What comes back; ``None`` where the request is to go out."""
        with self._lock:
            last = None
            for number, one in enumerate(self.exchanges):
                if (not self._used[number] or self._reuse) and same(one.asked, question, self._places):
                    last = number
                    if not self._used[number]:
                        break
            if last is not None:
                self._used[last] = True
                return self._marked(self.exchanges[last], last + 1)
            if self.passes_on:
                return None
            return self._refused(question)

    def refuse(self, what: str) -> str:
        """Note a session, which no file has, and say so."""
        message = f"{what} is a session with a model, which is not recorded, and nothing was sent."
        with self._lock:
            self._miss(message)
        return message

    def knows_error(self, asked: Asked, error_type: str | None) -> bool:
        """Whether that request has ended by that exception in the file."""
        return any(one.asked == asked and one.error_type == error_type for one in self.exchanges)

    def _marked(self, one: Recorded, number: int) -> Recorded:
        headers = {**one.headers, MARK: str(number)}
        if not self.paced and any(name in headers for name in _WAITS):
            headers["retry-after-ms"] = "1"  # who does not wait for answers does not wait between them
        return replace(one, headers=headers)

    def _refused(self, question: Question) -> Recorded:
        message = told(question, self.exchanges, self._used, self._places, self.where)
        self._miss(message)
        body = {
            "type": "error",
            "message": message,
            "error": {"type": "not_recorded", "code": REFUSED, "status": "NOT_RECORDED", "message": message},
        }
        return Recorded(
            asked=Asked(method=question.method, path=question.path),
            status=REFUSED,
            headers={"content-type": "application/json", "x-should-retry": "false"},
            pieces=[as_bytes(body)],
        )

    def _miss(self, message: str) -> None:
        if len(self.missed) < _MOST_TOLD:
            self.missed.append(message)
