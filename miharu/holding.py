"""How much memory model calls may take in this process: one bound for those that run and those that wait.

There is no lock, because callers pass here. Callers add to one number and the recorder to another, so a lost
update of two callers bends the bound a little, until nothing is held any more.
"""

__all__ = ("HOLDING", "Holding")


class Holding:
    """Counts the bytes that are held."""

    __slots__ = ("_given_back", "_taken", "limit")

    def __init__(self, limit: int = 64 << 20) -> None:
        self.limit = limit
        self._taken = 0
        self._given_back = 0

    @property
    def used(self) -> int:
        """Bytes."""
        return self._taken - self._given_back

    def take(self, size: int) -> bool:
        """Whether there is room for so many bytes more, which are held from then on."""
        if self._taken - self._given_back + size > self.limit:
            return False
        self._taken += size
        return True

    def insist(self, size: int) -> None:
        """Hold them beyond the limit: for the little without which a call would have no usage."""
        self._taken += size

    def give_back(self, size: int) -> None:
        """Hold them no longer."""
        self._given_back = min(self._given_back + size, self._taken)  # some may be of before a fork

    def start_over(self) -> None:
        """Count from zero, in a child after a fork."""
        self._given_back = self._taken


HOLDING = Holding()
"""The counter of this process."""
