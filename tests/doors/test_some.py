"""Some of the doors, on the server that is always there; ``test_matrix.py`` tries them all on all."""

from importlib.util import find_spec

import pytest

from tests.doors.matrix import DOORS
from tests.doors.serving import serving
from tests.doors.visitor import polling, visit

SERVER = "uvicorn (h11)"
SOME = ("FastAPI, `app.mount`", "plain ASGI, `MiharuMiddleware`")


@pytest.mark.parametrize("door", SOME)
def test_the_dashboard_is_whole_and_the_host_does_not_notice(door: str, environ: dict[str, str]) -> None:
    which = DOORS[door]
    checks = [name for name in which.checks if name != "websocket" or find_spec("websockets")]
    with serving(f"tests.doors.hosts.{which.app}", SERVER, environ) as served:
        wrong = visit(checks, served.address, which.at)
        assert not wrong, "\n\n".join([*wrong.values(), served.log[-3000:]])
        with polling(f"{served.address}{which.at}/", http2=False):
            served.end()
    assert "Traceback" not in served.log, served.log
    assert "the host has stopped" in served.log
