"""Calls that another miharu keeps, the one that takes in what its clients send (``docs/remote.md``).

address.py   what a URL says
exchange.py  one request to it, on a thread of its own
refusals.py  what its answers mean
writer.py    sends batches
sums.py      the sums that budgets need
questions.py asks for these; all else is shown there
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from miharu.config import public_url
from miharu.errors import StoreError

if TYPE_CHECKING:
    from miharu.stores.remote.questions import RemoteQuestions
    from miharu.stores.remote.writer import RemoteWriter

__all__ = ("RemoteStore",)


class RemoteStore:
    """Sends calls to another miharu."""

    def __init__(self, url: str, *, read_only: bool = False, tag_sums: object = ()) -> None:  # noqa: ARG002 - it sums up there
        """Prepare; nothing is opened yet.

        Args:
            url: ``miharu+https://token@host``.
            read_only: Never send anything.
            tag_sums: Which sums are kept is a setting of the other one.
        """
        self._url = url
        self._read_only = read_only

    def writer(self, meanwhile: Callable[[], object] = bool) -> "RemoteWriter":
        """What sends batches.

        Raises:
            StoreError: It is for reading only.
        """
        from miharu.stores.remote.writer import RemoteWriter

        if self._read_only:
            raise StoreError(f"{public_url(self._url)} is open for reading only.")
        return RemoteWriter(self._url, meanwhile)

    def questions(self) -> "RemoteQuestions":
        """What asks for sums."""
        from miharu.stores.remote.questions import RemoteQuestions

        return RemoteQuestions(self._url)
