"""What a program carries that records and is never looked at."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.programs import run

FOREIGN = ("aiosqlite", "anyio", "asyncio", "greenlet", "httpx", "jinja2", "litestar", "sqlalchemy")
RECORD = """
import atexit, json, sys
from tests.world import exchange
from tests.recorder.answer import ANSWER

def tell(when):
    print(json.dumps([when, sorted(name for name in FOREIGN if name in sys.modules)]), flush=True)

atexit.register(tell, "at exit")
import miharu
from miharu import monitor
from miharu.call import Cost

class Unknown:
    def cost(self, call):
        return None

miharu.init(sys.argv[1], **SETTINGS)
watching = monitor.current()
for _ in range(30):
    watching._sink(exchange(body=ANSWER, asked={"model": "gpt-4o"}))
assert miharu.flush(60)
tell("after calls")
"""


def stored(database: Path) -> int:
    with closing(sqlite3.connect(database)) as opened:
        return int(opened.execute("SELECT count(*) FROM llm_calls").fetchone()[0])


def costs(database: Path) -> list[tuple[str, int]]:
    """The different ones, and where they come from."""
    with closing(sqlite3.connect(database)) as opened:
        return opened.execute("SELECT DISTINCT cost_source, cost_nanousd FROM llm_calls").fetchall()


def said(script: str, database: Path) -> dict[str, Any]:
    lines = [json.loads(line) for line in run(script, database).splitlines() if line.startswith("[")]
    return dict(lines)


def test_recording_loads_no_loop_and_no_engine(database: Path) -> None:
    script = RECORD.replace("SETTINGS", "{'prices': Unknown()}").replace("FOREIGN", repr(FOREIGN))
    assert said(script, database) == {"after calls": [], "at exit": []}
    assert stored(database) == 30


def test_nor_does_it_with_the_built_in_prices(database: Path) -> None:
    """genai-prices brings a client of its own, and that its loop."""
    ours = ("aiosqlite", "greenlet", "jinja2", "litestar", "sqlalchemy")
    script = RECORD.replace("SETTINGS", "{}").replace("FOREIGN", repr(ours))
    assert said(script, database) == {"after calls": [], "at exit": []}
    assert stored(database) == 30


def test_the_second_program_does_not_load_the_prices(database: Path) -> None:
    """What the calls of the first have cost is kept beside them."""
    script = RECORD.replace("SETTINGS", "{}").replace("FOREIGN", "('genai_prices',)")
    assert said(script, database)["after calls"] == ["genai_prices"]
    assert said(script, database) == {"after calls": [], "at exit": []}
    assert costs(database) == [("genai-prices", costs(database)[0][1])]
    assert stored(database) == 60


def test_with_prices_of_its_own_it_does(database: Path) -> None:
    own = "{'prices': {'mine': miharu.Price(input=1)}}"
    script = RECORD.replace("FOREIGN", "('genai_prices',)")
    assert said(script.replace("SETTINGS", "{}"), database)["after calls"] == ["genai_prices"]
    assert said(script.replace("SETTINGS", own), database)["after calls"] == ["genai_prices"]


@pytest.mark.parametrize("settings", ["{}", "{'exporters': [], 'budgets': []}"])
def test_no_thread_but_the_recorder_runs(database: Path, settings: str) -> None:
    script = RECORD.replace("SETTINGS", settings).replace("FOREIGN", "()")
    script += (
        "import threading\nprint(json.dumps(['threads', sorted(t.name for t in threading.enumerate())]))"
    )
    assert said(script, database)["threads"] == ["MainThread", "miharu"]
