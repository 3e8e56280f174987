"""docs/short-lived.md. tests/hosts/test_short_lives.py freezes such programs, and ends them."""

import signal
import sys
from pathlib import Path
from typing import Any

import pytest

import miharu
from tests.calls import ask
from tests.cli.test_run import ASKING, rows, started
from tests.docs.blocks import Block, of


@of("docs/short-lived.md", "def handler(event, context)")
def test_a_call_is_stored_when_the_handler_returns(
    example: Block, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIHARU_DATABASE_URL", str(database))

    def answer(event: Any) -> Any:
        ask()
        return event

    # a busy machine takes longer than five seconds for the first one
    handler = example.run({"miharu.flush()": "assert miharu.flush(60)"}, answer=answer).handler
    for number in range(1, 3):
        assert handler(number, None) == number
        assert miharu.stats()["written"] == number


@of("docs/short-lived.md", "signal.SIGTERM")
def test_a_program_that_is_told_to_end_stores_its_calls(example: Block, tmp_path: Path) -> None:
    (tmp_path / "asking.py").write_text(ASKING)
    ends = "import os\nos.kill(os.getpid(), signal.SIGTERM)\nimport time\ntime.sleep(60)\n"
    text = f"import miharu\nmiharu.init('calls.db')\n{example.text}\nfrom asking import ask\nask()\n{ends}"
    done = started(tmp_path, (sys.executable, "-c", text))
    assert (done.returncode, done.stderr) == (128 + signal.SIGTERM, "")
    assert len(rows(tmp_path / "calls.db")) == 1
