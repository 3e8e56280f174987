"""Each door of WSGI on each server, over sockets: the dashboard is whole, the host does not notice it."""

from collections.abc import Iterator
from importlib.metadata import version

import pytest

pytest.importorskip(
    "waitress", reason="servers and frameworks have an environment: requirements/frameworks.txt"
)

from tests.doors.serving import free_port, running
from tests.doors.visitor import polling, visit
from tests.doors.wsgi_matrix import CASES, DOORS, SERVERS, Table, packages


@pytest.fixture(scope="module")
def table() -> Iterator[Table]:
    noted = Table()
    yield noted
    noted.save({name: version(name) for name in packages()})


@pytest.mark.full
@pytest.mark.parametrize(("door", "server"), CASES)
def test_the_dashboard_is_whole_and_the_host_does_not_notice(
    door: str, server: str, environ: dict[str, str], table: Table
) -> None:
    which, port = DOORS[door], free_port()
    command = [part.format(port=port) for part in SERVERS[server].command]
    surroundings = environ | {"RUN": str(port)}
    address = f"http://127.0.0.1:{port}"
    with running([*command, f"tests.doors.hosts.wsgis:{which.app}"], surroundings, address) as served:
        wrong = visit(which.checks(server), served.address, which.at)
        table.note(door, server, list(wrong))
        with polling(f"{served.address}{which.at}/", http2=False):
            served.end()
    assert not wrong, "\n\n".join([*wrong.values(), served.log[-3000:]])
    assert "Traceback" not in served.log, served.log
