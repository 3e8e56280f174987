"""The server and its client. The client blocks: it is used on threads, several at once."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

from miharu.config import public_url
from miharu.errors import StoreError
from miharu.stores.clickhouse.client.address import Address, understood
from miharu.stores.clickhouse.client.refusals import refusal

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

__all__ = ("Database", "waiting_for")

T = TypeVar("T")
Rows = Sequence[Sequence[Any]]

_TICK_S = 0.1
_TALKATIVE = (
    "clickhouse_connect.driver.httpclient",
    "clickhouse_connect.driver._backend.http_sync",
    "clickhouse_connect.driver.transform",
    "urllib3.connectionpool",
)
"""Loggers of the driver's, which warn of what miharu says itself."""
_OURS = threading.local()


class Database:
    """Runs statements, each of which is done as a whole or not at all."""

    def __init__(self, url: str) -> None:
        """Prepare; nothing is opened yet.

        Raises:
            StoreError: The driver is not installed, or the URL is not valid.
        """
        self.name = public_url(url)
        if find_spec("clickhouse_connect") is None:
            raise StoreError(
                f"{self.name} needs clickhouse-connect, which is not installed: "
                'pip install "miharu[clickhouse]".'
            )
        try:
            self.address: Address = understood(url)
        except ValueError as error:
            raise StoreError(f"{self.name} {error}.") from None
        self._client: Client | None = None
        self._connecting = threading.Lock()

    def query(self, statement: str) -> Rows:
        """The rows of an answer.

        Raises:
            StoreError: It may do another time.
        """
        settings = {"distributed_product_mode": "local"} if self.address.cluster else {}
        bytes_of: dict[str, str | dict[str, str]] = {"request": "bytes", "response": "bytes"}
        return self._run(
            lambda client: client.query(statement, settings=settings, column_formats=bytes_of).result_rows
        )

    def command(self, statement: str, settings: Mapping[str, Any] | None = None) -> None:
        """Change something.

        Raises:
            StoreError: It may do another time.
        """
        self._run(lambda client: client.command(statement, settings=dict(settings or {})))

    def insert(
        self, table: str, columns: Mapping[str, str], rows: Rows, *, token: str, at_once: bool = False
    ) -> None:
        """Insert rows, unless those of that token are there.

        Args:
            table: Where.
            columns: Their types, by name.
            rows: In the order of the columns.
            token: Of two inserts with the same one the server keeps the first.
            at_once: Never put together with those of other clients.

        Raises:
            StoreError: It may do another time.
        """
        settings: dict[str, Any] = {
            "insert_deduplication_token": token,
            "max_partitions_per_insert_block": 0,
            "async_insert": 0 if at_once else 1,
            "async_insert_deduplicate": 1,
            "wait_for_async_insert": 1,
        }
        if self.address.cluster:
            settings["distributed_foreground_insert"] = 1

        def insert(client: "Client") -> None:
            context = client.create_insert_context(
                table,
                column_names=list(columns),
                column_type_names=list(columns.values()),
                database=self.address.database,
                settings=settings,
                data=rows,
            )
            context.block_row_count = len(rows)  # of several blocks only the first may have the token
            client.insert(context=context)

        self._run(insert)

    def close(self) -> None:
        """Disconnect."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _run(self, work: Callable[["Client"], T]) -> T:
        _OURS.quiet = True
        try:
            return work(self._connected())
        except StoreError:
            raise
        except Exception as error:
            if (refused := refusal(error, self.name)) is not None:
                raise refused from error
            raise
        finally:
            _OURS.quiet = False

    def _connected(self) -> "Client":
        with self._connecting:
            if self._client is None:
                import clickhouse_connect

                _quieten()
                self._client = clickhouse_connect.get_client(
                    **self.address.arguments,
                    database=self.address.database,
                    autogenerate_session_id=False,  # statements of one session wait for each other
                    dedicated_pool=True,  # a fork must not share its connections
                    client_name="miharu",
                )
            return self._client


def waiting_for(work: Callable[[], T], meanwhile: Callable[[], object]) -> T:
    """Run on a thread of its own, and call ``meanwhile`` about ten times a second until it is done."""
    if meanwhile is bool:
        return work()
    done, answer = threading.Event(), list[T]()
    failed: list[BaseException] = []

    def run() -> None:
        try:
            answer.append(work())
        except BaseException as error:  # noqa: BLE001 - it is raised below, on the thread that waits
            failed.append(error)
        finally:
            done.set()

    try:
        threading.Thread(target=run, name="miharu-clickhouse", daemon=True).start()
    except RuntimeError:  # the program ends, and what it did last is still to be kept
        return work()
    while not done.wait(_TICK_S):
        meanwhile()
    if failed:
        raise failed[0]
    return answer[0]


def _quieten() -> None:
    """Keep the driver from logging what miharu says itself; the host's own use of it is not touched."""
    for name in _TALKATIVE:
        logger = logging.getLogger(name)
        if _is_not_ours not in logger.filters:
            logger.addFilter(_is_not_ours)


def _is_not_ours(_: logging.LogRecord) -> bool:
    return not getattr(_OURS, "quiet", False)
