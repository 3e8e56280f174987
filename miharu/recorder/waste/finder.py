"""What need not have been asked, or need not have been read anew: two looks at each call, in the worker."""

from miharu.call import Call, filled
from miharu.recorder.waste.duplicates import Duplicates
from miharu.recorder.waste.prefixes import Prefixes

__all__ = ("WasteFinder",)


class WasteFinder:
    """Remembers hashes of what was asked, and no word of it."""

    def __init__(self) -> None:
        self._duplicates = Duplicates()
        self._prefixes = Prefixes()

    def find(self, call: Call, body: bytes | None) -> Call:
        """The call with what was wasted on it; of a duplicate that is all of it, so no part of it is told.

        Args:
            call: As read, its attempt known.
            body: Of the request.
        """
        found = self._duplicates.compare(call)
        missed = self._prefixes.missed(call, body)
        return found if found.duplicate_of or missed is None else filled(found, cache_missed_tokens=missed)
