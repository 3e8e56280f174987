"""Each door on each server, over real sockets: the dashboard is whole, and the host does not notice it."""

from collections.abc import Iterator
from contextlib import ExitStack
from importlib.metadata import version

import pytest

pytest.importorskip(
    "granian", reason="servers and frameworks have an environment: requirements/frameworks.txt"
)

import httpx2

from tests.doors.matrix import CASES, DOORS, Cell, Table, packages
from tests.doors.serving import SERVERS, Served, serving, stripping_proxy
from tests.doors.visitor import polling, visit


@pytest.fixture(scope="module")
def table() -> Iterator[Table]:
    noted = Table()
    yield noted
    noted.save({name: version(name) for name in packages()})


@pytest.fixture(scope="module")
def usual(environ: dict[str, str]) -> dict[str, float]:
    """How long each server takes to end while somebody polls an app without a dashboard."""
    times = {}
    for name, server in SERVERS.items():
        with serving("tests.doors.hosts.starlettes:bare", name, environ) as served:
            times[name] = _end(served, f"{served.address}/hello", server.http2)
    return times


@pytest.mark.full
@pytest.mark.parametrize(("door", "server"), CASES)
def test_the_dashboard_is_whole_and_the_host_does_not_notice(
    door: str, server: str, environ: dict[str, str], usual: dict[str, float], table: Table
) -> None:
    which, how = DOORS[door], SERVERS[server]
    if which.asyncio_only and how.trio:
        table.note(door, server, Cell())
        pytest.skip("the framework itself needs asyncio")
    options = (how.root_path, which.prefix) if which.told else ()
    cell = Cell(bare_ended_after=usual[server])
    with ExitStack() as stack:
        served = stack.enter_context(serving(f"tests.doors.hosts.{which.app}", server, environ, options))
        address = served.address
        if which.prefix:
            address = stack.enter_context(stripping_proxy(address, which.prefix))
        wrong = visit(which.checks, address, which.at, http2=how.http2 and not which.prefix)
        cell.wrong, cell.right = list(wrong), [name for name in which.checks if name not in wrong]
        cell.ended_after = _end(served, f"{served.address}{which.at}/", how.http2)
    table.note(door, server, cell)
    assert set(wrong) == set(which.cannot_on(server)), "\n\n".join([*wrong.values(), served.log[-3000:]])
    assert "Traceback" not in served.log, served.log
    assert not which.lifespan or "the host has stopped" in served.log


def _end(served: Served, url: str, http2: bool) -> float:
    try:
        with polling(url, http2):
            return served.end()
    except httpx2.HTTPError as error:
        raise AssertionError(f"it is gone ({served.process.poll()}):\n{served.log[-3000:]}") from error
