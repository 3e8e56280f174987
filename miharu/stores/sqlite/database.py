"""The file and its connections: one that writes, a few that read.

A read takes a thread for as long as it lasts, and not for each of its statements: what hands over from thread
to thread has to wait for the interpreter's lock, and a page asks twenty questions.
A file that was deleted or replaced while it was open is noticed before each transaction, and opened anew;
one that turns out to be damaged is opened anew as well, and set aside where that does not help.
All SQL is written against a plain ``Connection``, so that it also runs when the interpreter is going down and
no thread can be started for the asynchronous driver any more.
"""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import anyio
from anyio import to_thread
from sqlalchemy import URL, Connection, Engine, create_engine
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool

from miharu._files import make_private_folder
from miharu.errors import StoreError
from miharu.stores.sqlite.gate import Gate
from miharu.stores.sqlite.place import check_place
from miharu.stores.sqlite.repair.care import Care
from miharu.stores.sqlite.repair.damage import is_stale
from miharu.stores.sqlite.transactions import as_it_is, configure, immediate, in_plain_words, snapshot

__all__ = ("Database",)

T = TypeVar("T")

BUSY_TIMEOUT_S = 5.0
"""How long a transaction waits for another program before the worker backs off and tries again."""
READERS = 4


class Database:
    """Runs functions on a connection."""

    def __init__(self, path: Path | None, *, read_only: bool = False, rescue: bool = True) -> None:
        """Prepare; nothing is opened yet.

        Args:
            path: The file; ``None`` keeps everything in memory, on a single connection.
            read_only: Never make or change anything.
            rescue: Whether to bring back, beside all else, what can be read of files that were set aside.
        """
        self.path = path
        self.read_only = read_only
        self.name = str(path) if path else "the database in memory"
        self._turn = anyio.Lock()
        self._gate = Gate(path) if path is not None and not read_only else None
        self._writer: AsyncEngine | None = None
        self._reader: Engine | None = None
        self._readers = anyio.CapacityLimiter(READERS)
        self._last_resort: Engine | None = None
        self._prepare: Callable[[Connection], object] = bool
        self._care = Care(path, read_only=read_only, rescue=rescue) if path is not None else None

    async def open(self, prepare: Callable[[Connection], object]) -> None:
        """Connect, and let ``prepare`` make the schema, in its own transaction, where this may write.

        Raises:
            NoDatabase: Opened for reading, and there is no file.
            StoreError: The file cannot be used.
        """
        self._prepare = prepare
        async with self._turn:
            await self._mending(self._see_to_it_that_it_is_open)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run in one transaction of its own, while no other process of miharu writes."""

        async def once() -> T:
            await self._see_to_it_that_it_is_open()
            async with self._held():
                return await self._run(self._writer, immediate, work)

        async with self._turn:
            return await self._mending(once)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run on one snapshot."""

        async def once() -> T:
            await self._see_to_it_that_it_is_open()
            return await self._look(work)

        if self._care is not None and self._is_open():
            try:
                return await self._look(work)
            except StoreError as error:
                if not self._care.is_damage(_cause(error)):
                    raise
        async with self._turn:  # in memory, one connection has one transaction
            return await self._mending(once)

    def size(self) -> int | None:
        """Bytes on disk; ``None`` in memory."""
        if self.path is None:
            return None
        total = 0
        for suffix in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                total += Path(f"{self.path}{suffix}").stat().st_size
        return total

    async def close(self) -> None:
        """Disconnect."""
        if self._care is not None:
            self._care.end()
        async with self._turn, self._held():  # the last to leave tidies up, which is a checkpoint
            await self._disconnect()
        if self._gate is not None:
            self._gate.close()

    async def _mending(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Try; where the file proves damaged, again with new connections, and at last with a new file."""
        cause = None
        for remedy in (None, self._reopen, self._renew):
            try:
                if remedy is not None:
                    await remedy(cause)
                result = await attempt()
            except StoreError as error:
                cause = _cause(error)
                if self._care is None or remedy == self._renew:
                    raise
                if not self._care.is_damage(cause):
                    if is_stale(cause):
                        await self._disconnect()
                    raise
            else:
                if self._care is not None:
                    self._care.works()
                return result
        raise AssertionError  # pragma: no cover - the last remedy returns or raises

    async def _renew(self, cause: BaseException | None) -> None:
        await self._disconnect()
        if self._care is not None:
            async with self._held():
                self._care.give_up(cause)
        await self._reopen()

    async def _see_to_it_that_it_is_open(self) -> None:
        if not self._is_open():
            await self._reopen()

    def _is_open(self) -> bool:
        if self._care is None:
            return self._writer is not None
        return self._reader is not None and self._care.is_open

    async def _reopen(self, _: object = None) -> None:
        if self._care is not None and self._care.was_moved and not self._care.was_set_aside:
            await self._fold_in()
        await self._disconnect()
        if self._gate is not None and self.path is not None:
            self._gate.close()  # its folder may have been replaced as well
            try:
                check_place(self.path)
                make_private_folder(self.path.parent)
                self._gate.open()
            except OSError as error:
                raise StoreError(f"{self.path} cannot be opened: {error.strerror}.") from error
        async with self._held():
            await self._connect()

    async def _connect(self) -> None:
        if self._care is not None:
            self._care.check()
        if not self.read_only:
            self._writer = self._engine()
            try:
                await self._run(self._writer, as_it_is, self._make_ready)
            except RuntimeError as error:
                if isinstance(error, StoreError):
                    raise
                # "can't start new thread": the program is ending, and what it did is still to be kept
                self._last_resort = create_engine(self._url("rw").set(drivername="sqlite"), **self._options())
                configure(self._last_resort)
                await self._run(None, as_it_is, self._make_ready)
        if self._care is not None:
            options = self._options() | {"pool_size": READERS, "max_overflow": 0}
            options["connect_args"]["check_same_thread"] = False  # of a connection, one thread after another
            self._reader = create_engine(self._url("ro").set(drivername="sqlite"), **options)
            configure(self._reader)
            self._care.opened()

    async def _fold_in(self) -> None:
        """Give a file that was moved away what was recorded in it, which still stands in its WAL."""
        with suppress(StoreError):
            async with self._held():
                await self._run(
                    self._writer, as_it_is, lambda it: it.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                )

    def _make_ready(self, connection: Connection) -> None:
        self._prepare(connection)
        if self._care is not None:
            self._care.learn(lambda statement: connection.exec_driver_sql(statement).all())

    async def _disconnect(self) -> None:
        if self._care is not None:
            self._care.closing()
        if self._reader is not None:
            self._reader.dispose()
        if self._writer is not None:  # the last to leave must be able to write
            await self._writer.dispose()
        if self._last_resort is not None:
            self._last_resort.dispose()
        self._reader = self._writer = self._last_resort = None
        if self._care is not None:
            self._care.closed()

    @asynccontextmanager
    async def _held(self) -> AsyncIterator[None]:
        if self._gate is None:
            yield
        elif self._last_resort is None:
            async with self._gate.held():
                yield
        else:
            with self._gate.held_here():
                yield

    async def _run(
        self, engine: AsyncEngine | None, transaction: Callable[..., T], work: Callable[[Connection], T]
    ) -> T:
        with in_plain_words(self.name):
            if self._last_resort is not None:
                with self._last_resort.connect() as connection:
                    return transaction(connection, work)
            if engine is None:
                raise StoreError(f"{self.name} is not open, or for reading only.")
            async with engine.connect() as connecting:
                return await connecting.run_sync(transaction, work)

    async def _look(self, work: Callable[[Connection], T]) -> T:
        if self._reader is None or self._last_resort is not None:
            return await self._run(self._writer, snapshot, work)
        engine, begun = self._reader, False

        def looking() -> T:
            nonlocal begun
            begun = True
            with engine.connect() as connection:
                return snapshot(connection, work)

        with in_plain_words(self.name):
            try:
                return await to_thread.run_sync(looking, abandon_on_cancel=True, limiter=self._readers)
            except RuntimeError:
                if begun:
                    raise
                return looking()  # no thread can be started any more: the program is ending

    def _engine(self) -> AsyncEngine:
        options = self._options()
        if self.path is not None:
            options |= {"pool_size": 1, "max_overflow": 0}
        engine = create_async_engine(self._url("rw"), **options)
        configure(engine.sync_engine)
        return engine

    def _options(self) -> dict[str, Any]:
        options: dict[str, Any] = {
            "isolation_level": "AUTOCOMMIT",
            "hide_parameters": True,  # an error that quotes them goes to the log
            "connect_args": {"timeout": BUSY_TIMEOUT_S},
        }
        if self.path is None:
            options["poolclass"] = StaticPool
        return options

    def _url(self, mode: str) -> URL:
        if self.path is None:
            return URL.create("sqlite+aiosqlite", database=":memory:")
        name = f"file:{quote(os.fspath(self.path))}"
        return URL.create("sqlite+aiosqlite", database=name, query={"mode": mode, "uri": "true"})


def _cause(error: StoreError) -> BaseException | None:
    """What the engine said, where it was the engine."""
    return getattr(error.__cause__, "orig", error.__cause__)
