"""gunicorn, which forks its workers; with ``--preload`` after the app was loaded and has recorded."""

import signal

import httpx
import pytest

from tests.hosts.conftest import Host, Program, eventually, need

need()


def serve(*options: str) -> tuple[str, ...]:
    return ("gunicorn", "-b", "127.0.0.1:0", *options, "tests.hosts.apps.wsgi:app")


def get(program: Program, times: int) -> set[str]:
    """Ask that often; the processes that have answered."""
    port = program.says(r"Listening at: http://127\.0\.0\.1:(\d+)")
    return {
        httpx.get(f"http://127.0.0.1:{port}/{number}", trust_env=False, timeout=30).raise_for_status().text
        for number in range(times)
    }


@pytest.mark.parametrize(
    ("options", "loads"),
    [
        (["--preload", "-w", "2"], 1),
        (["-w", "2"], 2),
        (["--preload", "-w", "2", "-k", "gthread", "--threads", "4"], 1),
    ],
)
def test_each_call_of_a_worker_is_there(options: list[str], loads: int, host: Host) -> None:
    with host.running(*serve(*options)) as program:
        eventually(lambda: len(host.provider.requests) == loads)
        assert get(program, 12)
        program.end()
    assert len(host.rows_at_last()) == loads + 12


def test_workers_that_are_replaced_leave_their_calls(host: Host) -> None:
    with host.running(*serve("--preload", "-w", "1", "--max-requests", "3")) as program:
        assert len(get(program, 9)) == 3
        program.end(signal.SIGINT)
    assert len(host.rows_at_last()) == 10


def test_a_worker_that_is_killed_takes_no_stored_call_with_it(host: Host) -> None:
    with host.running(*serve("--preload", "-w", "1")) as program:
        [pid] = get(program, 4)
        eventually(lambda: len(host.rows()) == 5)
        import os

        os.kill(int(pid), signal.SIGKILL)
        program.says(r"(was sent SIGKILL)")
        assert pid not in get(program, 4)
        program.end()
    assert len(host.rows_at_last()) == 9
