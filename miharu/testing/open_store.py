"""Both sides of a store at once, for tests of it and of what is made with it."""

from collections.abc import Mapping
from typing import Any, Protocol, cast

from miharu.batch import Batch
from miharu.call import Cost
from miharu.errors import NewerDatabase, StoreError
from miharu.stores.base import Forgotten, Questions, Store, Whose
from miharu.stores.blocking import awaitable
from miharu.stores.words import TextsOf

__all__ = ("OpenStore", "both")


class OpenStore(Questions, Protocol):
    """The questions of a store, and the methods of its writer as coroutines."""

    async def add(self, batch: Batch) -> int: ...
    async def reprice(self, costs: Mapping[str, Cost | None]) -> int: ...
    async def prune(self, before: int, *, content_only: bool = False, limit: int | None = None) -> int: ...
    async def forget(self, whose: Whose, limit: int | None = None) -> Forgotten: ...
    async def roll_up(self) -> bool: ...
    def use_texts(self, texts: TextsOf) -> None: ...

    @property
    def sides(self) -> "Sides":
        """The writer and the questions behind it."""
        ...


def both(store: Store) -> OpenStore:
    """Both sides of the store, which ``open`` opens and ``close`` closes."""
    return cast("OpenStore", Sides(store))


class Sides:
    """A store's writer and its questions."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.writer: Any = None
        self.questions: Any = store.questions()
        self._refusal: StoreError | None = None
        self.inner: Any = None
        """The writer as the store has made it."""
        try:
            self.inner = store.writer()
            self.writer = awaitable(self.inner)
        except StoreError as error:  # it is for reading only
            self._refusal = error

    @property
    def sides(self) -> "Sides":
        return self

    async def open(self) -> None:
        if self.writer is not None:
            try:
                await self.writer.open()
            except NewerDatabase as error:  # it may still be read
                self._refusal = error
        await self.questions.open()

    async def close(self) -> None:
        await self.questions.close()
        if self.writer is not None:
            await self.writer.close()

    def __getattr__(self, name: str) -> Any:
        if name in {"add", "forget", "reprice", "prune"}:
            return getattr(self.writer, name) if self._refusal is None else self._refused
        return getattr(self.questions, name)

    def use_texts(self, texts: TextsOf) -> None:
        self.writer.use_texts(texts)

    async def roll_up(self) -> bool:
        return self._refusal is None and await self.writer.roll_up()

    async def _refused(self, *_: object, **__: object) -> None:
        assert self._refusal is not None
        raise self._refusal
