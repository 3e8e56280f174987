"""The side of a store that the recorder has: it keeps, sums up and forgets."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from miharu.batch import Batch
from miharu.call import Cost
from miharu.stores.base.answered import Forgotten
from miharu.stores.base.asked import Whose
from miharu.stores.words import TextsOf

__all__ = (
    "AsyncWriter",
    "Erasing",
    "SelfPruning",
    "UsesTexts",
    "Writer",
)


class Writer(Protocol):
    """Changes the store. Its methods block, and are called from one thread at a time.

    A failure that may pass, such as a locked database, is raised as a ``StoreError`` whose message names the
    database without its password, and the batch is tried again; any other exception means that the batch
    itself cannot be stored.
    """

    def open(self) -> None:
        """Connect; make or migrate the schema.

        Raises:
            StoreError: It cannot be used as it is.
        """
        ...

    def add(self, batch: Batch) -> int:
        """Keep all of it in one transaction and return how many calls were new; what is there is skipped."""
        ...

    def reprice(self, costs: Mapping[str, Cost | None]) -> int:
        """Give calls, by id, another cost; return how many were there."""
        ...

    def prune(self, before: int, *, content_only: bool = False, limit: int | None = None) -> int:
        """Forget what started before that moment (Unix milliseconds), at most ``limit`` calls of it.

        What an engine can drop as a whole at no cost to readers, such as a day's table, may be more.
        With ``content_only`` the calls stay, without their bodies. Returns how many were forgotten.
        """
        ...

    def forget(self, whose: Whose, limit: int | None = None) -> Forgotten:
        """Forget all of some users and sessions, at most about ``limit`` calls of it at a time.

        Their calls with bodies and scores go, their spans, and whole traces of which no other call is left.
        Sums stay exact, and none is kept under the name of a user who has no calls any more. Counters over
        all calls that ever were stay as they are: no name of a user or a session is in them. Returns how
        many were deleted; nothing at all where nothing is left.
        """
        ...

    def roll_up(self) -> bool:
        """Do one step of deferred work, such as summing up; whether more is left. Called between batches."""
        ...

    def close(self) -> None:
        """Close all connections. Batches for which ``add`` has returned are not lost."""
        ...


class SelfPruning(Protocol):
    """What a ``Writer`` may have besides, where its engine forgets by itself."""

    def keep_for(self, calls_ms: int | None, content_ms: int | None) -> None:
        """Have calls, and their bodies, forgotten when they are that old, in milliseconds.

        Called once, in place of ``prune`` by the hour. ``None`` leaves as it is what the engine does.
        """
        ...


class Erasing(Protocol):
    """What a ``Writer`` may have besides, where deleted rows can stand in its file for a while."""

    def erase(self) -> None:
        """Write the whole file anew, without anything that was deleted. All other writers wait meanwhile."""
        ...


@runtime_checkable
class UsesTexts(Protocol):
    """What a ``Writer`` may have besides, where it can make what is said searchable."""

    def use_texts(self, texts: TextsOf) -> None:
        """Keep the words of calls from now on, and of those that are there; called once, before ``open``."""
        ...


class AsyncWriter(Protocol):
    """A ``Writer`` whose methods are coroutines. They run on miharu's asyncio loop, one at a time."""

    async def open(self) -> None: ...
    async def add(self, batch: Batch) -> int: ...
    async def reprice(self, costs: Mapping[str, Cost | None]) -> int: ...
    async def prune(self, before: int, *, content_only: bool = False, limit: int | None = None) -> int: ...
    async def forget(self, whose: Whose, limit: int | None = None) -> Forgotten: ...
    async def roll_up(self) -> bool: ...
    async def close(self) -> None: ...
