"""Tables of an older version get the columns of the words."""

from dataclasses import replace

import pytest

from miharu.batch import Batch
from miharu.call import Body
from miharu.stores.clickhouse import ClickHouseStore
from miharu.stores.words import ROLES
from miharu.testing.open_store import both
from miharu.testing.store_contract import ALL, NOON, make_call
from tests.stores.clickhouse.server import Server

pytestmark = pytest.mark.anyio


async def test_tables_of_an_older_version_get_the_columns_of_the_words(
    clickhouse: Server, database: str
) -> None:
    store = both(ClickHouseStore(clickhouse.url(database)))
    await store.open()
    await store.add(Batch(calls=[make_call(body=Body(request=b"refund", response=None))]))
    command = store.sides.inner.database.command
    for role in ROLES:
        command(f"ALTER TABLE llm_bodies DROP INDEX words_{role}")
        command(f"ALTER TABLE llm_bodies DROP COLUMN said_{role}")
    command("ALTER TABLE llm_bodies DROP COLUMN is_said")
    command("TRUNCATE TABLE miharu_schema")
    command("INSERT INTO miharu_schema VALUES (1)")
    await store.close()

    store = both(ClickHouseStore(clickhouse.url(database)))
    store.use_texts(lambda call: [("user", (call.body.request or b"").decode())] if call.body else [])
    await store.open()
    later = make_call(timestamp=NOON + 1, body=Body(request=b"a refund", response=None))
    await store.add(Batch(calls=[later]))
    assert [call.id for call in await store.calls(replace(ALL, words=("refund",)))] == [later.id]
    searched = await store.searched(ALL)
    assert (searched.kept, searched.indexed) == (2, 1)
    await store.close()
