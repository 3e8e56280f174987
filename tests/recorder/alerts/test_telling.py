"""Alerts in real programs: posts to a real receiver, by one of several processes, over restarts."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import miharu
from miharu._alert import Alert, AlertChange
from miharu.batch import Batch
from miharu.call import Outcome
from miharu.interceptor import handoff
from miharu.recorder.alerts import Telling, watch
from miharu.recorder.budgets import Webhook, webhook
from miharu.recorder.threads.loop import LoopThread
from miharu.stores.sqlite import SQLiteStore
from miharu.testing.store_contract import make_call
from tests.recorder.budgets.receiver import Receiver

FIRING = AlertChange(
    "Refunds fail", "firing", "errors>5%", "15m", 1_796_047_500_000, "41.9% of 203 calls", 0.419, 203
)


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setattr(webhook, "PAUSE_S", 0.0)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with Receiver() as receiver:
        yield receiver


def test_a_change_is_posted_as_slack_takes_it(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    loop = LoopThread("miharu-test", handoff.unseen)
    seen = list[AlertChange]()
    telling = Telling(Webhook(loop))
    telling.tell(Alert("Refunds fail", "errors>5%", webhook=receiver.url, on_change=seen.append), FIRING)
    telling.close()
    loop.stop(5)
    ((path, headers, body),) = receiver.posts
    assert path.endswith("/s3cret/chat/completions")
    assert headers["user-agent"].startswith("miharu/")
    assert body == {
        "text": "miharu: The alert 'Refunds fail' is firing: 41.9% of 203 calls in 15m (errors>5%).",
        "alert": "Refunds fail",
        "state": "firing",
        "when": "errors>5%",
        "over": "15m",
        "value": 0.419,
        "calls": 203,
        "at": "2026-11-30T14:05:00+00:00",
    }
    assert seen == [FIRING]
    assert "s3cret" not in caplog.text


def test_a_receiver_that_fails_is_said_once(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    receiver.answers = [500]
    loop = LoopThread("miharu-test", handoff.unseen)
    telling = Telling(Webhook(loop))
    for _ in range(3):
        telling.tell(Alert("one", "errors>5%", webhook=receiver.url), FIRING)
        telling.close()
    loop.stop(5)
    assert caplog.text.count("rejected the alert (HTTP status 500)") == 1
    assert "s3cret" not in caplog.text


def failing(database: Path, calls: int = 40) -> None:
    """Calls that failed just now."""
    writer = SQLiteStore(f"sqlite+aiosqlite:///{database}").writer()
    writer.open()
    error = Outcome(status="error", error_type="timeout")
    now = time.time_ns() // 1_000_000
    writer.add(Batch(calls=[make_call(timestamp=now, route="/refund", outcome=error) for _ in range(calls)]))
    writer.close()


@pytest.mark.waits
def test_a_program_posts_by_itself(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "EVERY_S", 0.2)
    monkeypatch.setattr(watch, "AGAIN_S", 0.05)
    database = tmp_path / "calls.db"
    failing(database)
    hook = receiver.url
    miharu.init(database, alerts=[miharu.Alert("Refunds fail", "errors>5% route:/refund", webhook=hook)])
    until = time.monotonic() + 20
    while not receiver.posts and time.monotonic() < until:
        miharu.flush(5)
    assert [body["state"] for _, _, body in receiver.posts] == ["firing"]
    assert receiver.posts[0][2]["calls"] == 40


PROGRAM = """
import sys, time
import miharu
from miharu.recorder.alerts import watch
watch.EVERY_S, watch.AGAIN_S = 0.2, 0.1
looks, see = [], watch.Watch._see_jump
watch.Watch._see_jump = lambda *given: (looks.append(1), see(*given))
miharu.init(sys.argv[1], alerts=["errors>5% route:/refund over:15m"])
miharu.flush(20)
print("up", flush=True)
sys.stdin.readline()
looks.clear()
while len(looks) < 8:  # it looks, leaves a marker, finds it kept, tells of it; and goes on looking
    miharu.flush(5)
    time.sleep(0.01)
miharu.shutdown(10)
"""


@pytest.mark.waits
def test_one_of_four_workers_posts_and_none_after_a_restart(receiver: Receiver, tmp_path: Path) -> None:
    database = tmp_path / "calls.db"
    failing(database, 1)
    environ = {**os.environ, "MIHARU_ALERT_WEBHOOK": receiver.url}
    environ.pop("PYTEST_CURRENT_TEST", None)

    def run(workers: int) -> None:
        command = [sys.executable, "-c", PROGRAM, str(database)]
        crew = [
            subprocess.Popen(command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in range(workers)
        ]
        try:
            for one in crew:
                assert one.stdout is not None
                assert one.stdout.readline() == "up\n"
            failing(database)
            for one in crew:
                one.communicate("go\n", timeout=60)
                assert one.returncode == 0
        finally:
            for one in crew:
                if one.poll() is None:
                    one.kill()
                    one.communicate()

    run(4)
    assert [body["state"] for _, _, body in receiver.posts] == ["firing"], json.dumps(receiver.posts)
    run(2)
    assert len(receiver.posts) == 1
