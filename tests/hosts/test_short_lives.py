"""Programs that are frozen, or ended, a moment after their work: docs/short-lived.md."""

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from miharu.testing import FakeProvider
from tests.hosts.conftest import Host, eventually, need

need()

RUNTIME = """
import handler

for line in sys.stdin:
    print(handler.handler({"text": line.strip()}, None), flush=True)
"""
"""What a platform runs: it calls the handler for each event, and answers."""


class Frozen:
    """An instance that runs only while it works."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def invoke(self, text: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.write(f"{text}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        self.process.send_signal(signal.SIGSTOP)
        return answer


@contextmanager
def instance(host: Host, handler: str, **environ: str) -> Iterator[Frozen]:
    host.write(RUNTIME)
    (host.folder / "handler.py").write_text(handler)
    (host.folder / "script.py").write_text(f"import sys\n{RUNTIME}")
    process = subprocess.Popen(
        [sys.executable, "script.py"],
        cwd=host.folder,
        env=host.environ | environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Frozen(process)
    finally:
        process.kill()  # as a platform ends it: frozen, and without a word
        process.communicate()


HANDLER = """
import miharu

miharu.init()

from tests.hosts.apps.asking import ask

def handler(event, context):
    try:
        return ask(event["text"])
    finally:
        miharu.flush(60)  # a busy machine's first one takes its time
"""


def test_each_call_is_stored_before_the_instance_is_frozen(host: Host) -> None:
    with instance(host, HANDLER) as frozen:
        for number in range(1, 6):
            assert frozen.invoke(f"event {number}")
            assert len(host.rows()) == number
            with closing(sqlite3.connect(host.database, timeout=0)) as another:  # it holds no lock
                another.execute("BEGIN IMMEDIATE")
    assert len(host.rows()) == 5
    assert not host.spools()


def test_an_instance_may_send_its_calls_to_another_miharu(host: Host) -> None:
    command = ("miharu", "dashboard", "--ingest", "--port", "0", "--database", str(host.database))
    with host.running(*command) as dashboard:
        url = dashboard.says(r"MIHARU_DATABASE_URL=(\S+)")
        with instance(host, HANDLER, MIHARU_DATABASE_URL=url, AWS_LAMBDA_FUNCTION_NAME="answer") as frozen:
            for number in range(1, 4):
                assert frozen.invoke(f"event {number}")
                assert len(host.rows()) == number
        dashboard.process.send_signal(signal.SIGINT)
        assert dashboard.process.wait(30) == 0


def test_a_container_that_is_given_two_seconds_loses_nothing(host: Host) -> None:
    host.write(
        """
import signal, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit())
for number in range(20):
    ask(str(number))
print("ready", flush=True)
time.sleep(600)
"""
    )
    with host.running("script") as program:
        program.says("(ready)")
        program.process.send_signal(signal.SIGTERM)
        try:
            program.process.wait(2)
        except subprocess.TimeoutExpired:  # on a machine as busy as that one some of it is in a spool
            program.process.kill()
            program.process.wait()
    assert len(host.rows_at_last()) == 20


@pytest.mark.parametrize("ending", ["", "sys.exit(1)", "raise ValueError", "os.kill(os.getpid(), 2)"])
def test_a_cron_job_leaves_its_calls_and_its_name(ending: str, host: Host, provider: FakeProvider) -> None:
    host.write(f"ask()\n{ending}")
    with host.running("script") as program:
        program.process.wait(60)
    eventually(lambda: len(host.rows_at_last()) == 1)
    [row] = host.rows()
    assert row["route"] in {"script script", None}
    assert row["cost_nanousd"]
