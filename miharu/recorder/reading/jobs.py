"""When the jobs began that go on after their answer, so that what is fetched later completes their call."""

from collections import OrderedDict

from miharu._bounds import LONGEST, is_recent
from miharu.providers.base import Reading

__all__ = ("Jobs",)

REMEMBERED = 4096


class Jobs:
    """Remembers the jobs of this process that were not seen to end, as many as ``REMEMBERED``."""

    def __init__(self) -> None:
        self._began: OrderedDict[tuple[str, str], int] = OrderedDict()

    def began(self, api: str, reading: Reading, timestamp: int) -> int | None:
        """When the call began of which this is a reading made at that moment (Unix milliseconds).

        ``None`` of the end of a job that this process does not know, or has seen end before. The provider's
        own word comes first: it is true in every process.
        """
        job = (api, (reading.response_id or "")[:LONGEST])
        if reading.completes:
            stated = reading.began_ms
            if stated and not is_recent(stated, timestamp / 1000):
                return self._began.pop(job, timestamp)
            return stated or self._began.pop(job, None)
        if reading.opens and reading.response_id is not None:
            self._began[job] = timestamp
            if len(self._began) > REMEMBERED:
                self._began.popitem(last=False)
        return timestamp
