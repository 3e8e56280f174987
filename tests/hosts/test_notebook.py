"""Notebooks, in a real kernel of IPython's."""

import os
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest

from tests.hosts.conftest import Host, eventually, need

need("nbclient", "ipykernel")


pytestmark = pytest.mark.filterwarnings("ignore")  # of the notebook's own tools
IMPORTS = "import asyncio, os, httpx2, miharu\nfrom tests.hosts.apps.asking import ask"


@pytest.fixture
def kernel(host: Host) -> Iterator[Any]:
    from jupyter_client.manager import KernelManager

    manager = KernelManager(kernel_name="python3", ip="127.0.0.1")
    with mock.patch.dict(os.environ, host.environ | {"IPYTHONDIR": str(host.folder)}):
        manager.start_kernel(cwd=str(host.folder))
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    yield client, manager
    client.stop_channels()
    if manager.is_alive():
        manager.shutdown_kernel(now=True)


def run(client: Any, code: str) -> str:
    """The status of a cell, or the name of its exception."""
    reply = client.execute_interactive(code, timeout=60, output_hook=lambda _: None)["content"]
    return str(reply.get("ename", reply["status"]))


def test_cells_also_interrupted_ones_are_recorded(kernel: Any, host: Host) -> None:
    client, manager = kernel
    assert run(client, IMPORTS) == "ok"
    assert run(client, "ask('one')") == "ok"
    waiting = client.execute("ask('two', model='hang')")
    eventually(lambda: len(host.provider.requests) == 2)
    manager.interrupt_kernel()
    reply = client.get_shell_msg(timeout=60)
    while reply["parent_header"].get("msg_id") != waiting:
        reply = client.get_shell_msg(timeout=60)
    assert reply["content"]["ename"] == "KeyboardInterrupt"
    assert run(client, "ask('three')") == "ok"
    assert run(client, "await asyncio.to_thread(ask, 'four')") == "ok"
    assert run(client, "assert await miharu.aflush()\nassert miharu.stats()['written'] == 4") == "ok"
    assert run(client, "ask('five')") == "ok"
    manager.shutdown_kernel(now=False)
    rows = host.rows_at_last()
    assert [row["status"] for row in rows] == ["success", "cancelled", "success", "success", "success"]


def test_a_whole_notebook(host: Host) -> None:
    import nbclient
    import nbformat

    cells = [IMPORTS, "ask('one')", "for number in range(3):\n    ask(str(number))"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    with mock.patch.dict(os.environ, host.environ | {"IPYTHONDIR": str(host.folder)}):
        nbclient.NotebookClient(
            notebook, timeout=60, resources={"metadata": {"path": str(host.folder)}}
        ).execute()
    assert len(host.rows_at_last()) == 4
