"""Celery with its own copy of multiprocessing; a process may do one task and leave."""

import os
from unittest import mock

import pytest

from tests.hosts.conftest import Host, need

need("celery")


@pytest.mark.parametrize(
    "options", [["--max-tasks-per-child=1"], []], ids=["one task each", "many tasks each"]
)
def test_each_call_of_a_task_is_there(options: list[str], host: Host) -> None:
    for name in ("queue", "results", "control"):
        (host.folder / name).mkdir()
    with mock.patch.dict(os.environ, host.environ):
        import celery

        folder = host.folder
        app = celery.Celery("tasks", broker="filesystem://", backend=f"file://{folder}/results")
        app.conf.broker_transport_options = {
            "data_folder_in": f"{folder}/queue",
            "data_folder_out": f"{folder}/queue",
            "control_folder": f"{folder}/control",
        }
        command = ("celery", "-A", "tests.hosts.apps.tasks", "worker", "-P", "prefork", "-c", "2", *options)
        with host.running(*command, "--without-gossip", "--without-mingle", "-l", "warning") as program:
            asked = [app.send_task("tests.hosts.apps.tasks.asking", [number]) for number in range(6)]
            pids = {result.get(timeout=60) for result in asked}
            program.end(code=None)
        app.close()
    assert len(pids) == 6 if options else len(pids) <= 2
    assert len(host.rows_at_last()) == 6
