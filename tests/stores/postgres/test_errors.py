import sys

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError

from miharu.batch import Batch
from miharu.call import Outcome
from miharu.errors import NoDatabase, StoreError
from miharu.stores.postgres import PostgresStore
from miharu.testing.open_store import OpenStore, both
from miharu.testing.store_contract import ALL, NOON, make_call
from tests.stores.postgres.server import Server
from tests.stores.postgres.world import fill


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"password": "wr0ng"}, "does not let this user in"),
        ({"user": "nobody-here"}, "does not let this user in"),
        ({"host": "nowhere.invalid"}, "cannot be reached"),
    ],
)
async def test_it_is_named_without_user_and_password(
    postgres: Server, database: str, change: dict[str, str], message: str
) -> None:
    store = both(PostgresStore(postgres.url(database, **change)))
    with pytest.raises(StoreError, match=message) as caught:
        await store.open()
    await store.close()
    said = str(caught.value)
    assert f"/{database}" in said
    for secret in ("s@cret", "wr0ng", "nobody-here", "postgres:", '"postgres"'):
        assert secret not in said


async def test_a_database_that_is_not_there_is_named(postgres: Server) -> None:
    with pytest.raises(StoreError, match="does not exist: make it with createdb") as caught:
        await both(PostgresStore(postgres.url("missing"), read_only=True)).open()
    assert not isinstance(caught.value, NoDatabase)  # nobody will make it by recording


async def test_a_server_without_tls_is_refused_where_it_is_asked_for(postgres: Server, database: str) -> None:
    with pytest.raises(StoreError, match=r"cannot be reached|TLS"):
        await both(PostgresStore(f"{postgres.url(database)}?sslmode=require")).open()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+asyncpg://me:sec/ret@db/x",
        "postgresql+asyncpg://me:sec?ret@db/x",
        "postgresql+asyncpg://me:secret@db/x?connect_timeout=soon",
        "postgresql+asyncpg://me:secret@db/x?sslmode=perhaps",
    ],
)
async def test_a_url_that_makes_no_sense_is_refused_without_a_word_of_it(url: str) -> None:
    with pytest.raises(StoreError, match=r"cannot be understood|sslmode") as caught:
        await both(PostgresStore(url)).open()
    assert "sec" not in str(caught.value)


async def test_the_driver_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(StoreError, match=r'pip install "miharu\[postgres\]"'):
        both(PostgresStore("postgresql+asyncpg://db/x"))


async def test_what_may_pass_is_told_from_a_batch_that_can_never_be_kept(
    store: OpenStore, postgres: Server, database: str
) -> None:
    await fill(store, NOON)
    for wrong in ({"api": None}, {"outcome": Outcome(status="odd")}, {"attempt": "first"}):  # type: ignore[arg-type]
        with pytest.raises((DBAPIError, asyncpg.PostgresError, TypeError)) as caught:
            await store.add(Batch(calls=[make_call(**wrong)]))
        assert not isinstance(caught.value, StoreError)
    assert (await store.totals(ALL)).calls == 1
    await postgres.query(database, "ALTER TABLE llm_calls RENAME TO hidden")
    with pytest.raises(StoreError, match="lacks a table"):
        await store.add(Batch(calls=[make_call()]))


async def test_it_says_what_a_role_lacks(postgres: Server, database: str) -> None:
    await postgres.query(database, f"CREATE ROLE {database} LOGIN PASSWORD 'x'")
    store = both(PostgresStore(postgres.url(database, user=database, password="x")))
    with pytest.raises(StoreError, match="does not allow this user to do it"):
        await store.open()
    await store.close()
