"""Children of multiprocessing, by each way of starting them."""

import multiprocessing

import pytest

from tests.hosts.conftest import Host, need

need()


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
@pytest.mark.parametrize("how", ["process", "pool", pytest.param("executor", marks=pytest.mark.full)])
def test_each_call_of_a_child_is_there(method: str, how: str, host: Host) -> None:
    host.run("tests.hosts.apps.processes", method, how)
    assert len(host.rows_at_last()) == 3


@pytest.mark.parametrize("method", ["spawn", pytest.param("forkserver", marks=pytest.mark.full)])
def test_a_pool_may_be_terminated_before_its_processes_have_prices(method: str, host: Host) -> None:
    """They are still importing them, so all that they have captured is in their spools."""
    (host.folder / "genai_prices.py").write_text("import time\ntime.sleep(600)")
    with host.running("tests.hosts.apps.processes", method, "terminated_pool") as program:
        assert program.process.wait(120) == 0, program.said
        assert host.rows() == []
        assert host.spools()
    (host.folder / "genai_prices.py").unlink()
    assert len(host.rows_at_last()) == 11
