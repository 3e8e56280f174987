"""What several of these tests do."""

from sqlalchemy import Connection, text

from miharu.batch import Batch
from miharu.call import Body, Call
from miharu.stores import sql
from miharu.stores.base import Totals
from miharu.stores.postgres.questions import ENGINE
from miharu.stores.sql.sums import OF_CALLS, made
from miharu.testing.open_store import OpenStore
from miharu.testing.store_contract import ALL, make_call
from tests.stores.postgres.server import Server

__all__ = ("fill", "read_and_added_up", "tables")


def read_and_added_up(connection: Connection) -> tuple[Totals, Totals]:
    """The totals as they are read, and the sum over all calls, in one snapshot."""
    raw = connection.execute(text(f"SELECT {OF_CALLS} FROM llm_calls")).one()
    return sql.totals(connection, ENGINE, ALL), made(raw)


async def tables(postgres: Server, database: str, like: str = "llm\\_calls\\_2%") -> list[str]:
    rows = await postgres.query(
        database, "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE $1 ORDER BY 1", like
    )
    return [row["relname"] for row in rows]


async def fill(store: OpenStore, *timestamps: int, body: Body | None = None) -> list[Call]:
    calls = [make_call(timestamp=timestamp, body=body) for timestamp in timestamps]
    await store.add(Batch(calls=calls))
    return calls
