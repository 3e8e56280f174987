"""The examples of ``docs/alerts.md``."""

import json
import shlex
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import miharu
from miharu._alert import AlertChange
from miharu.batch import Batch
from miharu.call import Outcome
from miharu.cli import main
from miharu.recorder.alerts import watch
from miharu.recorder.alerts.telling import message
from miharu.stores.sqlite import SQLiteStore
from miharu.testing._server import ServerThread
from miharu.testing.store_contract import make_call
from tests.docs.blocks import Block, of
from tests.docs.test_budgets import Hooks

PAGE = "docs/alerts.md"


def marked(database: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute("SELECT name, service, tags FROM llm_markers").fetchall()


@of(PAGE, 'miharu.mark("deploy 1.4"')
def test_a_program_marks_a_deploy(example: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = tmp_path / "calls.db"
    monkeypatch.setenv("MIHARU_DATABASE_URL", str(database))
    example.run()
    assert miharu.flush(30)
    assert marked(database) == [("deploy 1.4", "shop", '{"by": "ci"}')]


@of(PAGE, 'miharu mark "deploy 1.4"')
def test_a_script_marks_a_deploy(example: Block, tmp_path: Path) -> None:
    database = tmp_path / "calls.db"
    words = shlex.split(example.text.strip().replace("/srv/shop/calls.db", str(database)))
    assert main(words[1:]) == 0
    assert marked(database) == [("deploy 1.4", None, '{"by": "ci"}')]


@of(PAGE, "miharu.Alert(")
def test_each_alert_is_understood_and_one_fires(
    example: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "EVERY_S", 0.2)
    monkeypatch.setattr(watch, "AGAIN_S", 0.05)
    database = tmp_path / "calls.db"
    writer = SQLiteStore(f"sqlite+aiosqlite:///{database}").writer()
    writer.open()
    now = time.time_ns() // 1_000_000
    failed = Outcome(status="error", error_type="timeout")
    writer.add(Batch(calls=[make_call(timestamp=now, route="/refund", outcome=failed) for _ in range(30)]))
    writer.close()
    monkeypatch.setenv("MIHARU_DATABASE_URL", str(database))
    hooks = Hooks()
    server = ServerThread(hooks)
    server.start()
    try:
        address = f"http://127.0.0.1:{server.port}/hooks"
        example.run({"https://hooks.example.com/services/T0/B0/secret": address})
        monitor = miharu.monitor.current()
        assert monitor is not None
        names = [state.alert.name for state in monitor.alerts]
        assert names[0] == "Refunds fail"
        assert names[3] == "The shop is silent"
        assert len(names) == 5
        until = time.monotonic() + 20
        while not hooks.got and time.monotonic() < until:
            miharu.flush(5)
        assert [(one["alert"], one["state"], one["calls"]) for one in hooks.got] == [
            ("Refunds fail", "firing", 30)
        ]
    finally:
        miharu.shutdown()
        server.stop()


@of(PAGE, '"state": "firing"')
def test_the_webhook_posts_what_is_shown(example: Block) -> None:
    shown = json.loads(example.text)
    change = AlertChange(
        shown["alert"],
        shown["state"],
        shown["when"],
        shown["over"],
        1_796_050_260_000,
        "41.9% of 203 calls",
        shown["value"],
        shown["calls"],
    )
    assert message(change) == shown
