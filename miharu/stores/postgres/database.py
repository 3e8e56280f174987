"""The server and its connections: a few, because a server has few and many machines share them.

No statement is ever prepared under a name and nothing is set for a session, so that a pooler may hand each
transaction to another connection of the server's. Reads see one snapshot.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Literal, TypeAlias, TypeVar

from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from miharu.config import public_url
from miharu.errors import StoreError
from miharu.stores.postgres.address import connect_arguments
from miharu.stores.postgres.errors import ADDRESS, is_gone, refusal

__all__ = ("Database",)

T = TypeVar("T")
Work: TypeAlias = Callable[[Connection], T]

COMMAND_TIMEOUT_S = 60.0
"""How long a command may take: a server that has vanished from the network sends nothing."""
RENEWED_AFTER_S = 1800
WRITERS, READERS = 2, 4
"""Connections at most; one stays open."""


class Database:
    """Runs functions on a connection, each in a transaction of its own."""

    def __init__(self, url: str, *, reads: bool = False) -> None:
        """Prepare; nothing is opened yet.

        Args:
            url: ``postgresql+asyncpg://`` and what libpq understands behind it.
            reads: Without a change, and each function on one snapshot.

        Raises:
            StoreError: The driver is not installed, or the URL is not valid.
        """
        self.name = public_url(url)
        self.reads = reads
        if find_spec("asyncpg") is None:
            raise StoreError(
                f'{self.name} needs asyncpg, which is not installed: pip install "miharu[postgres]".'
            )
        try:
            self._arguments = connect_arguments(url)
        except ValueError:
            raise StoreError(f"{self.name} {ADDRESS}.") from None
        self._engine: AsyncEngine | None = None
        self._prepare: Work[None] | None = None

    async def open(self, *, prepare: Work[None] | None = None, look: Work[None] | None = None) -> None:
        """Connect, and let ``prepare`` make the schema where this may write, or else ``look`` at it.

        Raises:
            NoDatabase: Opened for reading, and there is nothing.
            StoreError: It cannot be used.
        """
        await self.close()
        self._prepare = prepare
        if self.reads:
            self._engine = self._made("REPEATABLE READ", READERS)
            event.listen(self._engine.sync_engine, "connect", _only_read)
        else:
            self._engine = self._made("READ COMMITTED", WRITERS)
        try:
            await self.run(look or _nothing)
        except BaseException:
            await self.close()
            raise

    async def run(self, work: Work[T]) -> T:
        """Run in one transaction of its own.

        Raises:
            StoreError: It may do another time.
        """
        return await self._run(self._engine, work)

    async def close(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.dispose()

    async def _run(self, engine: AsyncEngine | None, work: Work[T]) -> T:
        if engine is None:
            raise StoreError(f"{self.name} is not open for this.")
        try:
            try:
                return await self._transaction(engine, work)
            except Exception as error:
                if isinstance(error, RuntimeError) and "shutdown" in str(error):
                    _resolve_without_thread()  # the program ends, and what it did last is still to be kept
                elif not is_gone(error):
                    raise
                # The server was started anew; the pool has let go of the connection by now.
                return await self._transaction(engine, work)
        except StoreError:
            raise
        except Exception as error:
            if (refused := refusal(error, self.name)) is not None:
                raise refused from error
            raise

    async def _transaction(self, engine: AsyncEngine, work: Work[T]) -> T:
        async with engine.connect() as connection:
            try:
                if self._prepare and "met" not in connection.info:
                    # Behind a new connection there may be a server that was restored, or made anew.
                    await connection.run_sync(self._prepare)
                    await connection.commit()
                    connection.info["met"] = True
                result = await connection.run_sync(work)
                await connection.commit()
            except Exception as error:
                if is_gone(error) or isinstance(error, TimeoutError):
                    await connection.invalidate()
                raise
            return result

    async def _connect(self, **arguments: Any) -> Any:
        import asyncpg

        try:
            return await asyncpg.connect(**arguments)
        except asyncpg.exceptions.ClientConfigurationError as error:
            raise StoreError(f"{self.name} cannot be used: {error}.") from None
        except ssl.SSLError:
            raise  # some of them are ValueErrors
        except ValueError:  # it may hold a part of the password that was taken for something else
            raise StoreError(f"{self.name} {ADDRESS}.") from None

    def _made(self, isolation: Literal["READ COMMITTED", "REPEATABLE READ"], most: int) -> AsyncEngine:
        return create_async_engine(
            "postgresql+asyncpg://",
            isolation_level=isolation,
            hide_parameters=True,  # an error that quotes them goes to the log
            pool_size=1,
            max_overflow=most - 1,
            pool_recycle=RENEWED_AFTER_S,
            connect_args={
                **self._arguments,
                "async_creator_fn": self._connect,
                "command_timeout": COMMAND_TIMEOUT_S,
                "statement_cache_size": 0,
                "prepared_statement_cache_size": 0,
                "prepared_statement_name_func": str,  # the empty name
            },
        )


def _only_read(connection: Any, _: object) -> None:
    connection.readonly = True


def _nothing(_: Connection) -> None: ...


def _resolve_without_thread() -> None:
    """Let names of hosts be looked up when no thread can be started for it any more."""

    async def look_up(host: str, port: int, **hints: Any) -> Any:
        return socket.getaddrinfo(host, port, **hints)

    asyncio.get_running_loop().getaddrinfo = look_up  # type: ignore[method-assign,assignment]
