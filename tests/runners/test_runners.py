"""Programs that run other people's functions, driven as their visitors do."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("streamlit", reason="they have an environment of their own: requirements/programs.txt")

from tests.calls import rows
from tests.doors.serving import free_port, running
from tests.frameworks.serving import ROOT, environment, provider
from tests.hosts.conftest import eventually

pytestmark = [pytest.mark.full, pytest.mark.filterwarnings("ignore")]  # of their own
QUIET = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_OFFLINE": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_LOGGING_LEVEL": "WARNING",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "200",
    "DO_NOT_TRACK": "1",
}


@pytest.fixture
def environ(tmp_path: Path) -> Iterator[dict[str, str]]:
    with provider() as url:
        surroundings = environment(tmp_path / "calls.db", url) | QUIET
        surroundings |= {"HOME": str(tmp_path), "PREFECT_HOME": str(tmp_path / "prefect")}
        yield surroundings


def stored(environ: dict[str, str]) -> dict[str, tuple[Any, ...]]:
    """Route and user by the model's name."""
    found = rows(Path(environ["MIHARU_DATABASE_URL"]))
    return {row["model"]: (row["route"], row["user_id"]) for row in found}


def has(environ: dict[str, str], calls: int) -> bool:
    """Whether that many are stored."""
    try:
        return len(rows(Path(environ["MIHARU_DATABASE_URL"]))) >= calls
    except sqlite3.OperationalError:  # it is just being made
        return False


def test_streamlit(environ: dict[str, str]) -> None:
    from websockets.sync.client import connect

    port = free_port()
    options = ["--server.headless", "true", "--server.port", str(port), "--server.address", "127.0.0.1"]
    options += ["--browser.gatherUsageStats", "false", "--global.developmentMode", "false"]
    command = ["streamlit", "run", "tests/runners/apps/streamlit_app.py", *options]
    with running(command, environ, f"http://127.0.0.1:{port}") as served:
        for visit in range(2):
            # a visit is a connection that says nothing and is sent the page
            with connect(f"ws://127.0.0.1:{port}/_stcore/stream", proxy=None, open_timeout=60) as socket:
                socket.send(_rerun())
                eventually(partial(has, environ, 2 * (visit + 1)), 120)
        served.end()
    assert stored(environ) == {
        "within": ("streamlit chat", "ann"),
        "outside": ("script streamlit_app.py", None),
    }
    assert len(rows(Path(environ["MIHARU_DATABASE_URL"]))) == 4


def _rerun() -> bytes:
    from streamlit.proto.BackMsg_pb2 import BackMsg

    message = BackMsg()
    message.rerun_script.query_string = ""
    return bytes(message.SerializeToString())


def test_gradio(environ: dict[str, str]) -> None:
    from gradio_client import Client

    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with running(["tests.runners.apps.gradio_app", str(port)], environ, address) as served:
        client = Client(address, headers={"x-user": "ann"}, verbose=False)
        assert client.predict("hi", api_name="/answer") == "HI"
        assert client.predict("one two", api_name="/words") == "two"
        served.end()
    assert stored(environ) == {
        "within": ("gradio answer", "ann"),
        "outside": ("script tests.runners.apps.gradio_app", None),
        "word-one": ("script tests.runners.apps.gradio_app", None),
        "word-two": ("script tests.runners.apps.gradio_app", None),
    }


def test_prefect(environ: dict[str, str]) -> None:
    out = subprocess.run(
        [sys.executable, "-m", "tests.runners.apps.prefect_flow"],
        cwd=ROOT,
        env=environ | {"PYTHONPATH": os.pathsep.join([str(ROOT)])},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert out.returncode == 0, out.stdout + out.stderr
    assert stored(environ) == {
        "flow": ("prefect nightly", "ann"),
        "task": ("prefect nightly", "ann"),
        "submitted": ("prefect nightly", "ann"),
        "main": ("script tests.runners.apps.prefect_flow", None),
    }
