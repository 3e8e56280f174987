from collections.abc import Iterator

import pytest

from miharu.batch import Batch
from miharu.call import Cost
from miharu.config import Config
from miharu.stores.clickhouse import ClickHouseStore
from miharu.stores.clickhouse.client.address import understood
from miharu.testing.open_store import both
from miharu.testing.store_contract import NOON, make_call
from tests.docs.blocks import Block, of
from tests.stores.clickhouse.server import Server, started

PAGE = "docs/clickhouse.md"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    yield from started()


def _address(line: str) -> str:
    name, _, value = line.partition("=")
    return Config.resolve(environ={name: value.strip('"')}).database


@of(PAGE, 'pip install "miharu[clickhouse]"')
def test_the_setting_names_a_server(example: Block) -> None:
    install, setting = example.commands
    assert install == 'pip install "miharu[clickhouse]"'
    address = understood(_address(setting))
    assert (address.arguments["host"], address.arguments["port"]) == ("clickhouse.example", 8123)
    assert (address.arguments["username"], address.database) == ("miharu", "miharu")


@of(PAGE, "cluster=main")
def test_the_setting_may_name_a_cluster(example: Block) -> None:
    assert understood(_address(example.commands[0])).cluster == "main"


@of(PAGE, "CREATE USER")
def test_a_database_of_its_own_is_set_up(example: Block, server: Server) -> None:
    """The engine has no users of its own here: it reads what is said about them."""
    database, *rights = [line.rstrip(";") for line in example.commands]
    server.query("default", database)
    assert ("miharu",) in server.query("default", "SHOW DATABASES")
    assert len(rights) == 2
    for statement in rights:
        assert server.query("default", f"EXPLAIN AST {statement}")


@of(PAGE, "NOT IN")
async def test_rows_are_selected_as_they_are_now(example: Block, server: Server) -> None:
    database = server.new_database()
    store = both(ClickHouseStore(server.url(database)))
    await store.open()
    calls = [make_call(timestamp=NOON + n) for n in range(3)]
    await store.add(Batch(calls=calls))
    await store.reprice({calls[1].id: Cost(cost_nanousd=5, cost_source="x")})
    await store.close()
    rows = server.query(database, example.text.replace("SELECT *", "SELECT id, cost_nanousd"))
    assert sorted(rows) == [(calls[0].id, 1000), (calls[1].id, 5), (calls[2].id, 1000)]
