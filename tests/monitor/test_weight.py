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
    """genai-prices has a client of its own, which stays away until it is used; it imports asyncio."""
    ours = (*(name for name in FOREIGN if name != "asyncio"), "httpcore2", "httpx2")
    script = RECORD.replace("SETTINGS", "{}").replace("FOREIGN", repr(ours))
    assert said(script, database) == {"after calls": [], "at exit": []}
    assert stored(database) == 30


IMPORTS = """
import json, sys, threading

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name in ("httpx", "httpx2"):
            print(json.dumps([name, threading.current_thread().name]), flush=True)

sys.meta_path.insert(0, Finder())
import miharu
from tests.world import exchange
from tests.recorder.answer import ANSWER
from miharu import monitor
miharu.init(sys.argv[1], **SETTINGS)
for name in ("httpx", "httpx2"):
    print(json.dumps([name + " is there", hasattr(sys.modules.get(name), "AsyncClient")]))
monitor.current()._sink(exchange(body=ANSWER, asked={"model": "gpt-4o"}))
assert miharu.flush(60)
"""


@pytest.mark.parametrize(
    ("settings", "client"),
    [
        ("{'update_prices': True}", "httpx2"),
        ("{'budgets': [miharu.Budget(1, per='day', webhook='http://127.0.0.1:9/')]}", "httpx"),
    ],
)
def test_what_miharu_sends_with_is_imported_by_the_programs_own_thread(
    database: Path, settings: str, client: str
) -> None:
    """An SDK that looks for it in sys.modules never finds half of it."""
    told = said(IMPORTS.replace("SETTINGS", settings), database)
    assert told[client] == "MainThread"
    assert told[f"{client} is there"] is True
    assert len(told) == 3


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
