import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import anyio
import pytest
from sqlalchemy import Connection

from miharu.batch import Batch
from miharu.errors import StoreError
from miharu.stores.postgres import PostgresStore
from miharu.testing.open_store import OpenStore, both
from miharu.testing.store_contract import ALL, NOON, make_call
from tests.stores.postgres.crew import Crew, calls_of
from tests.stores.postgres.server import POOLER, USER, Certificate, Pooler, Server
from tests.stores.postgres.world import fill, read_and_added_up


@pytest.fixture(scope="module")
def pooler(postgres: Server) -> Iterator[Pooler]:
    if POOLER is None:
        pytest.skip("no pgbouncer is installed; scripts/test installs one")
    pooler = Pooler(postgres)
    yield pooler
    pooler.remove()


async def test_it_may_go_and_come_back(own_server: Server) -> None:
    database = await own_server.new_database()
    store = both(PostgresStore(own_server.url(database)))
    await store.open()
    [first] = await fill(store, NOON)
    for how in (signal.SIGINT, signal.SIGQUIT):
        own_server.stop(how)
        call = make_call()
        with pytest.raises(StoreError, match=r"cannot be reached|ended the connection|lost the connection"):
            await store.add(Batch(calls=[call]))
        with pytest.raises(StoreError):
            await store.totals(ALL)
        own_server.start()
        assert await store.add(Batch(calls=[call])) == 1
        assert await store.call(call.id) == call
    own_server.stop()
    own_server.start()
    assert await store.call(first.id) == first  # an old connection is not even noticed
    await store.add(Batch(calls=[make_call()]))
    assert (await store.totals(ALL)).calls == 4
    await store.close()


async def test_a_connection_that_is_cut_is_replaced(
    store: OpenStore, postgres: Server, database: str
) -> None:
    for _ in range(3):
        await fill(store, NOON)
        await store.totals(ALL)
        await postgres.query(
            USER, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", database
        )
    assert (await store.totals(ALL)).calls == 3


async def test_what_is_cancelled_leaves_the_connection_in_order(store: OpenStore) -> None:
    def slowly(connection: Connection) -> None:
        connection.exec_driver_sql("SELECT pg_sleep(60)")

    for run in (store.sides.questions.read, store.sides.writer.database.run):
        with anyio.move_on_after(0.2) as scope:
            await run(slowly)
        assert scope.cancelled_caught
    await fill(store, NOON)
    assert (await store.totals(ALL)).calls == 1


async def test_a_name_is_resolved_without_a_thread(
    postgres: Server, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the interpreter is going down, and the program's only call is still to be kept."""

    def refuse(self: ThreadPoolExecutor, *_: object) -> None:
        raise RuntimeError("cannot schedule new futures after interpreter shutdown")

    monkeypatch.setattr(ThreadPoolExecutor, "submit", refuse)
    store = both(PostgresStore(postgres.url(database, host="localhost")))
    await store.open()
    await fill(store, NOON)
    assert (await store.totals(ALL)).calls == 1
    await store.close()


async def test_a_pooler_may_hand_each_transaction_to_another_connection(
    pooler: Pooler, postgres: Server, database: str, crew: Crew
) -> None:
    job = {"do": "write", "url": pooler.url(database), "calls": 300, "batch": 20, "tend": True}
    assert crew.do([{**job, "seed": seed} for seed in range(4)]) == [300] * 4
    store = both(PostgresStore(pooler.url(database)))
    await store.open()
    assert await store.add(Batch(calls=calls_of(0, 301))) == 1
    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(store.totals, ALL)
            group.start_soon(store.calls, ALL)
    read, raw = await store.sides.questions.read(read_and_added_up)
    assert read == raw
    assert raw.calls == 1201
    await store.close()


async def test_tls_is_spoken_and_checked(own_server: Server, certificate: Certificate) -> None:
    database = await own_server.new_database()
    own_server.stop()
    own_server.start("ssl=on", *own_server.take(certificate))
    for query in ("sslmode=require", "ssl=require", f"sslmode=verify-full&sslrootcert={certificate.file}"):
        store = both(PostgresStore(f"{own_server.url(database)}?{query}"))
        await store.open()
        [[spoken]] = await store.sides.questions.read(
            lambda connection: connection.exec_driver_sql(
                "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
            ).all()
        )
        assert spoken
        await store.close()
    other = Certificate(certificate.file.parent / "other")
    with pytest.raises(StoreError, match="do not agree on TLS"):
        await both(
            PostgresStore(f"{own_server.url(database)}?sslmode=verify-full&sslrootcert={other.file}")
        ).open()
