"""What ``miharu doctor`` says of alerts."""

import time
from pathlib import Path

import pytest

from miharu._alert import Alert, AlertChange
from miharu.batch import Batch
from miharu.cli import main
from miharu.recorder.alerts.turns import marker_of
from miharu.stores.sqlite import SQLiteStore

HOUR = 3_600_000


def test_it_lists_what_is_stated_and_what_became_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    database = tmp_path / "calls.db"
    now = time.time_ns() // 1_000_000
    refunds, slow = Alert("Refunds fail", "errors>5%"), Alert("Slow", "p95>8s")
    writer = SQLiteStore(f"sqlite+aiosqlite:///{database}").writer()
    writer.open()
    for alert, number, ago in ((refunds, 1, 3), (slow, 1, 5), (slow, 2, 4), (Alert("Old", "cost>1"), 1, 999)):
        change = AlertChange(
            alert.name,
            "firing" if number % 2 else "resolved",
            alert.when,
            alert.over,
            now - ago * HOUR,
            "41.9% of 203 calls",
            0.419,
            203,
        )
        writer.add(Batch(markers=[marker_of(alert, change, number, "one")]))
    writer.close()
    monkeypatch.setenv("MIHARU_ALERTS", "cost>5; calls<1 over:1h")
    monkeypatch.setenv("MIHARU_ALERT_WEBHOOK", "https://hooks.example.com/T0/s3cret")
    main(["doctor", "--database", str(database)])
    out = " ".join(capsys.readouterr().out.split())
    assert "cost>5: cost>5 over 15m, told to a webhook" in out
    assert "calls<1: calls<1 over 1h" in out
    assert "Refunds fail (errors>5%): firing since" in out
    assert "Slow (p95>8s): resolved at" in out
    assert "Old" not in out
    assert "s3cret" not in out
    monkeypatch.setenv("MIHARU_ALERTS", "eror>5%")
    assert main(["doctor", "--database", str(database)]) == 1
    assert "MIHARU_ALERTS" in capsys.readouterr().out
