"""uvicorn, which starts its processes by spawning."""

import signal

import httpx
import pytest

from tests.hosts.conftest import Host, Program, eventually, need

need()


def get(program: Program, times: int = 1) -> set[str]:
    url = program.says(r"running on (http://\S+)")
    return {httpx.get(f"{url}/x", trust_env=False, timeout=30).raise_for_status().text for _ in range(times)}


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_each_call_of_its_workers_is_there(how: signal.Signals, host: Host) -> None:
    command = ("uvicorn", "tests.hosts.apps.asgi:app", "--port", "0", "--workers", "2")
    with host.running(*command) as program:
        eventually(lambda: program.said.count("Application startup complete") == 2)
        assert get(program, 10)
        program.end(how, code=None)
    assert len(host.rows_at_last()) == 10


def test_calls_before_and_after_a_reload_are_there(host: Host) -> None:
    watched = host.folder / "watched"
    watched.mkdir()
    (watched / "some.py").touch()
    command = (
        "uvicorn",
        "tests.hosts.apps.asgi:app",
        "--port",
        "0",
        "--reload",
        "--reload-dir",
        str(watched),
    )
    with host.running(*command) as program:
        program.says("(Application startup complete)")
        [first] = get(program)
        (watched / "some.py").write_text("changed = True")
        eventually(lambda: program.said.count("Application startup complete") == 2)
        [second] = get(program)
        assert first != second
        program.end(code=None)
    assert len(host.rows_at_last()) == 2


def test_one_process_alone(host: Host) -> None:
    with host.running("uvicorn", "tests.hosts.apps.asgi:app", "--port", "0") as program:
        get(program, 3)
        program.end(signal.SIGINT, code=None)
    assert len(host.rows_at_last()) == 3
