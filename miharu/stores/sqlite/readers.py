"""Connections that read: SQLAlchemy's asynchronous engine, and each question in one go.

aiosqlite gives each connection a thread of its own. A question goes there as a whole, and not each of its
statements: what hands over from thread to thread has to wait for the interpreter's lock, and a page asks
twenty questions. When the task that asked is cancelled, SQLite breaks its question off.
"""

import os
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import quote

import anyio
from anyio import to_thread
from sqlalchemy import URL, Connection, Engine, StaticPool, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from miharu.errors import NewerDatabase, StoreError
from miharu.files.private import make_private_folder
from miharu.stores.sqlite.locks.writer_lock import WriterLock
from miharu.stores.sqlite.memory import Memory
from miharu.stores.sqlite.place import check_place
from miharu.stores.sqlite.repair.damage import is_stale
from miharu.stores.sqlite.repair.file_guard import FileGuard
from miharu.stores.sqlite.schema import STEPS, prepare
from miharu.stores.sqlite.transactions import refusal
from miharu.stores.sqlite.writer import bring_up_to_date

__all__ = ("FileReaders", "MemoryReader", "Readers")

T = TypeVar("T")
Work = Callable[[Connection], T]

BUSY_TIMEOUT_S = 5.0
READERS = 4
_OPTIONS: dict[str, Any] = {
    "isolation_level": "AUTOCOMMIT",  # transactions are ours
    "pool_reset_on_return": None,
    "hide_parameters": True,  # an error that quotes them goes to the log
}


class Readers(Protocol):
    """Runs functions, each on one snapshot."""

    name: str

    async def open(self) -> None: ...
    async def read(self, work: Work[T]) -> T: ...
    async def close(self) -> None: ...


class MemoryReader:
    def __init__(self, memory: Memory) -> None:
        self.name = memory.name
        self._memory = memory
        self._engine: Engine | None = None

    async def open(self) -> None:
        self._memory.open(partial(prepare, name=self.name))

    async def read(self, work: Work[T]) -> T:
        return await _in_thread(self._memory.look, partial(self._on_it, work))

    async def close(self) -> None: ...

    def _on_it(self, work: Work[T], connection: sqlite3.Connection) -> T:
        if self._engine is None:
            self._engine = _engine_over(connection)
        return _snapshot(self._engine, work, self.name)


class FileReaders:
    """Reads the file. One that was deleted, replaced or damaged meanwhile is opened anew."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Prepare; nothing is opened yet.

        Args:
            path: The file.
            read_only: Never make or mend anything.
        """
        self.name = str(path)
        self.path = path
        self.read_only = read_only
        self._guard = FileGuard(path, read_only=read_only)
        self._engine: AsyncEngine | None = None
        self._mending_one = anyio.Lock()

    async def open(self) -> None:
        """Connect.

        Raises:
            NoDatabase: Opened for reading, and there is no file.
            StoreError: The file cannot be used.
        """
        async with self._mending_one:
            await self._mending(self._see_to_it_that_it_is_open)

    async def read(self, work: Work[T]) -> T:
        """Run on one snapshot.

        Raises:
            StoreError: The file cannot be used at the moment.
        """

        async def once() -> T:
            await self._see_to_it_that_it_is_open()
            return await self._look(work)

        if self._engine is not None and self._guard.is_open:
            try:
                return await self._look(work)
            except StoreError as error:
                if not self._guard.is_damage(error.__cause__):
                    raise
        async with self._mending_one:
            return await self._mending(once)

    async def close(self) -> None:
        await _in_thread(self._guard.end)
        async with self._mending_one:
            await self._disconnect()

    async def _mending(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Try; where the file proves damaged, again with new connections, and at last with a new file."""
        cause: BaseException | None = None
        for remedy in (None, self._reopen, self._renew):
            try:
                if remedy is not None:
                    await remedy(cause)
                result = await attempt()
            except StoreError as error:
                cause = error.__cause__
                if remedy == self._renew:
                    raise
                if not self._guard.is_damage(cause):
                    if is_stale(cause):
                        await self._disconnect()
                    raise
            else:
                self._guard.works()
                return result
        raise AssertionError  # pragma: no cover - the last remedy returns or raises

    async def _see_to_it_that_it_is_open(self) -> None:
        if self._engine is None or not self._guard.is_open:
            await self._reopen()

    async def _renew(self, cause: BaseException | None) -> None:
        await self._disconnect()
        if not self.read_only:
            await _in_thread(self._locked, partial(self._guard.give_up, cause))
        await self._reopen()

    def _locked(self, work: Callable[[], object]) -> None:
        """Run the work while no process of miharu writes."""
        lock = WriterLock(self.path)
        try:
            check_place(self.path)
            make_private_folder(self.path.parent)
            lock.open()
            with lock.held():
                work()
        except OSError as error:
            raise StoreError(f"{self.path} cannot be opened: {error.strerror}.") from error
        finally:
            lock.close()

    async def _reopen(self, _: BaseException | None = None) -> None:
        if self.read_only:
            await self._disconnect()
            self._guard.check()
        else:
            if self._engine is not None:
                await _in_thread(self._locked, self._guard.make_way)
            await self._disconnect()
            await _in_thread(self._locked, self._guard.check)
            await self._bring_up_to_date()
        await self._connect()
        if self.read_only and await self._look(_version) < len(STEPS):
            await self._disconnect()
            await self._bring_up_to_date()
            self._guard.check()
            await self._connect()

    async def _connect(self) -> None:
        self._engine = create_async_engine(_url(self.path), pool_size=READERS, max_overflow=0, **_OPTIONS)
        try:
            await self._look(_version)  # from here on no other file can have its inode, nor that of its WAL
            self._guard.opened()
        except BaseException:
            await self._disconnect()
            raise

    async def _bring_up_to_date(self) -> None:
        """Make sure that there is a file with the tables that reading needs."""
        try:
            await _in_thread(bring_up_to_date, self.path)
        except NewerDatabase:
            return
        except StoreError as error:
            if not self.read_only:
                raise
            raise StoreError(
                f"{self.name} was written by an older miharu: a user who may write to it must bring it up to "
                f"date before it can be read. {error}"
            ) from error

    async def _disconnect(self) -> None:
        self._guard.closing()
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.dispose()
        self._guard.closed()

    async def _look(self, work: Work[T]) -> T:
        engine = self._engine
        if engine is None:
            raise StoreError(f"{self.name} is not open.")
        try:
            async with engine.connect() as connection:
                return await _in_one_go(connection, work, self.name)
        except DBAPIError as error:
            raise _refused(error, self.name) from error.orig
        except RuntimeError as error:
            if not _is_without_threads(error):
                raise
        return self._look_here(work)

    def _look_here(self, work: Work[T]) -> T:
        connection = sqlite3.connect(_name(self.path), uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None)
        try:
            return _snapshot(_engine_over(connection), work, self.name)
        finally:
            connection.close()


async def _in_thread(function: Callable[..., T], *args: Any) -> T:
    """Run it in a thread, as long as there are threads."""
    try:
        return await to_thread.run_sync(function, *args)
    except RuntimeError as error:
        if not _is_without_threads(error):
            raise
    return function(*args)


def _is_without_threads(error: RuntimeError) -> bool:
    """Whether no thread can be started any more: there are too many, or the program is ending."""
    return "start new thread" in str(error) or "create new thread" in str(error)


async def _in_one_go(connection: AsyncConnection, work: Work[T], name: str) -> T:
    """Run it on the connection's own thread."""
    pooled = await connection.get_raw_connection()
    driver: Any = pooled.driver_connection
    raw: sqlite3.Connection = driver._conn  # noqa: SLF001 - as SQLAlchemy's own dialect does
    engine = pooled.info.get("miharu")
    if engine is None:
        engine = pooled.info["miharu"] = _engine_over(raw)
    try:
        result: T = await driver._execute(_snapshot, engine, work, name)  # noqa: SLF001 - and so does it
    except anyio.get_cancelled_exc_class():
        raw.interrupt()
        raise
    return result


def _snapshot(engine: Engine, work: Work[T], name: str) -> T:
    """Run in a transaction that reads: all of it sees the same."""
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            try:
                return work(connection)
            finally:
                with suppress(DBAPIError):
                    connection.exec_driver_sql("COMMIT")
    except DBAPIError as error:
        raise _refused(error, name) from error.orig
    except UnicodeDecodeError as error:
        raise _refused(error, name) from error


def _refused(error: DBAPIError | UnicodeDecodeError, name: str) -> BaseException:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return refusal(cause or error, name) or error


def _engine_over(connection: sqlite3.Connection) -> Engine:
    """An engine for one connection that is there already."""
    return create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool, **_OPTIONS)


def _name(path: Path) -> str:
    return f"file:{quote(os.fspath(path))}?mode=ro"


def _url(path: Path) -> URL:
    name = f"file:{quote(os.fspath(path))}"
    return URL.create("sqlite+aiosqlite", database=name, query={"mode": "ro", "uri": "true"})


def _version(connection: Connection) -> int:
    return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
