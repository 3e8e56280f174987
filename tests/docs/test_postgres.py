import re
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest

import miharu
from miharu.cli import main
from miharu.config import Config
from miharu.stores import store_for
from tests.calls import ask
from tests.docs.blocks import BLOCKS, Block, of

if TYPE_CHECKING:
    from tests.stores.postgres.server import Server

PAGE = "docs/postgres.md"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def own_server() -> "Server":  # type: ignore[misc]
    """One of its own, because the page makes roles, which belong to a whole server."""
    from tests.stores.postgres.server import BINARIES, Server

    if BINARIES is None:
        pytest.skip("no PostgreSQL is installed; scripts/test installs one")
    server = Server()
    yield server
    server.remove()


async def _run(server: "Server", block: Block, database: str = "postgres") -> None:
    for line in block.text.splitlines():
        await server.query(database, line.partition("--")[0])


def _block(words: str) -> Block:
    [block] = [block for block in BLOCKS if block.page == PAGE and words in block.text]
    return block


async def _record(url: str) -> None:
    miharu.init(url)
    ask()
    assert await miharu.aflush(30), miharu.stats()
    assert miharu.shutdown()


def _resolved(line: str) -> str:
    name, _, value = line.partition("=")
    return Config.resolve(environ={name: value.strip('"')}).database


@of(PAGE, 'pip install "miharu[postgres]"')
def test_the_setting_names_a_server(example: Block) -> None:
    install, setting = example.commands
    assert install == 'pip install "miharu[postgres]"'
    assert _resolved(setting) == "postgresql+asyncpg://miharu:secret@db.example/miharu"


@of(PAGE, "sslmode=verify-full")
def test_the_setting_may_ask_for_a_certificate(example: Block) -> None:
    url = _resolved(example.commands[0])
    assert url.endswith("?sslmode=verify-full&sslrootcert=/etc/ssl/db.pem")
    assert store_for(url).name


@of(PAGE, "CREATE DATABASE")
@pytest.mark.parametrize("services", [_block("GRANT miharu TO shop")])
@pytest.mark.parametrize("viewers", [_block("TO viewer")])
async def test_a_database_of_its_own_is_set_up_and_read(
    example: Block,
    services: Block,
    viewers: Block,
    own_server: "Server",
    capsys: pytest.CaptureFixture[str],
) -> None:
    await _run(own_server, example)
    await _record(own_server.url("miharu", "miharu", "secret"))
    await own_server.query("miharu", "CREATE ROLE shop LOGIN PASSWORD 's'")
    await own_server.query("miharu", "CREATE ROLE viewer LOGIN PASSWORD 'v'")
    await _run(own_server, services, "miharu")
    await _run(own_server, viewers, "miharu")
    await _record(own_server.url("miharu", "shop", "s"))
    [count] = await own_server.query("miharu", "SELECT count(*) FROM llm_calls")
    assert count[0] == 2
    owners = await own_server.query(
        "miharu", "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"
    )
    assert [row[0] for row in owners] == ["miharu"]
    looked = await anyio.to_thread.run_sync(
        main, ["stats", "--database", own_server.url("miharu", "viewer", "v")]
    )
    assert looked == 0
    assert re.search(r"^ *calls +2$", capsys.readouterr().out, re.MULTILINE)


@of(PAGE, "GRANT miharu TO shop")
def test_services_share_an_owner(example: Block) -> None:
    """Above, where there is a database to share."""
    assert len(example.commands) == 2


@of(PAGE, "TO viewer")
def test_viewers_may_read(example: Block) -> None:
    """Above, where there are tables to read."""
    assert len(example.commands) == 2


@of(PAGE, "CREATE SCHEMA")
async def test_a_schema_of_its_own_is_set_up(example: Block, own_server: "Server") -> None:
    await _run(own_server, example)
    await _record(own_server.url("postgres", "miharu", "secret"))
    [count] = await own_server.query("postgres", "SELECT count(*) FROM miharu.llm_calls")
    assert count[0] == 1


async def _moved(example: Block, server: "Server", folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    await _record(".miharu/calls.db")
    [line] = example.commands
    assert line.endswith("@db.example/miharu")
    typed = [*line.split()[1:-1], server.url("postgres")]
    assert await anyio.to_thread.run_sync(main, typed) == 0
    [count] = await server.query("postgres", "SELECT count(*) FROM llm_calls")
    assert count[0] == 1


@of(PAGE, "miharu copy")
async def test_a_file_moves_to_the_server(
    example: Block, own_server: "Server", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _moved(example, own_server, tmp_path, monkeypatch)


@of("docs/commands.md", "miharu copy --from .miharu")
async def test_the_page_of_commands_moves_it_too(
    example: Block, own_server: "Server", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _moved(example, own_server, tmp_path, monkeypatch)
