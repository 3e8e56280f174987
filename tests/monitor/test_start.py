"""What the start costs the program's own thread: how little is imported on it."""

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.programs import PRELUDE, run

HERE = """
import json, sys, threading

class Watching:
    "What the program's own thread looks for, which is what it imports."
    names = []
    def find_spec(self, name, path=None, target=None):
        if threading.current_thread() is threading.main_thread():
            self.names.append(name)

sys.meta_path.insert(0, Watching())
import miharu
miharu.init(sys.argv[1], **SETTINGS)
print(json.dumps(Watching.names))
"""

NEEDED = {
    "miharu",
    "miharu._guard",
    "miharu._ids",
    "miharu.config.lengths",
    "miharu._quick",
    "miharu._version",
    "miharu.attribution",
    "miharu.attribution.records",
    "miharu.config",
    "miharu.config.access",
    "miharu.config.database",
    "miharu.config.ignore",
    "miharu.config.platform",
    "miharu.config.refusal",
    "miharu.config.settings",
    "miharu.errors",
    "miharu.exchange",
    "miharu.holding",
    "miharu.kept_body",
    "miharu.interceptor",
    "miharu.interceptor.gate",
    "miharu.interceptor.handoff",
    "miharu.interceptor.imports",
    "miharu.interceptor.jobs",
    "miharu.interceptor.wrapping",
    "miharu.monitor",
    "miharu.monitor.figures",
    "miharu.monitor.monitor",
    "miharu.monitor.process",
    "miharu.monitor.shared",
    "miharu.monitor.steps",
    "miharu.plugins",
    "miharu.providers",
    "miharu.providers.known_rules",
    "miharu.providers.rules",
    "miharu.providers.turns",
    "miharu.recorder",
    "miharu.recorder.threads",
    "miharu.recorder.threads.bell",
    "miharu.recorder.counters",
    "miharu.recorder.threads.daemonic",
    "miharu.recorder.threads.endings",
    "miharu.recorder.threads.imports",
    "miharu.recorder.threads.orders",
    "miharu.recorder.threads.patched",
    "miharu.recorder.threads.prefork",
    "miharu.recorder.queue",
    "miharu.recorder.recorder",
    "miharu.redaction",
    "miharu.redaction.logs",
    "miharu.redaction.urls",
    "miharu.stores",
}
"""Whatever is added here is added to the start of every program."""


def imported(database: Path, settings: str = "{}") -> set[str]:
    """By the program's own thread."""
    return set(json.loads(run(HERE.replace("SETTINGS", settings), database)))


def test_the_programs_own_thread_imports_what_it_needs_and_no_more(database: Path) -> None:
    found = imported(database)
    assert {name for name in found if name.startswith("miharu")} <= NEEDED
    assert "miharu.interceptor.gate" in found


def test_and_little_of_pythons_own(database: Path) -> None:
    late = {"asyncio", "decimal", "importlib.metadata", "json", "shutil", "sqlite3", "tempfile"}
    assert not imported(database) & late


def test_a_program_that_ends_at_once_does_not_import_what_records(database: Path) -> None:
    script = """
import atexit, sys
atexit.register(lambda: print(sorted({"miharu.stores.sqlite.writer", "sqlite3"} & sys.modules.keys())))
import miharu
from miharu.recorder.threads import imports
import_step, ends = imports.import_step, __import__("threading").Event()
def slowly(name):
    ends.wait(30)
    import_step(name)
imports.import_step = slowly
miharu.init(sys.argv[1])
miharu.shutdown.__globals__["_current"]._recorder.orders.stopping = True
ends.set()
"""
    assert run(script, database).strip() == "[]"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")
def test_a_fork_in_the_middle_of_it_loses_nothing(database: Path) -> None:
    script = (
        """
import os, threading
from miharu.recorder.threads import imports
import_step, begun = imports.import_step, threading.Event()
def slowly(name):
    begun.set()
    import_step(name)
imports.import_step = slowly
"""
        + PRELUDE
        + """
ask()
begun.wait(30)
child = os.fork()
ask()
if child:
    os.waitpid(child, 0)
"""
    )
    run(script, database)
    with closing(sqlite3.connect(database)) as opened:
        assert opened.execute("SELECT count(*) FROM llm_calls").fetchone() == (3,)


def test_a_format_is_imported_with_the_first_call_in_it(database: Path) -> None:
    script = (
        PRELUDE
        + """
ask()
miharu.flush()
watched = ("miharu.providers.openai.completions.chat", "miharu.providers.ollama",
           "miharu.providers.aws.converse", "miharu.stores.sqlite.writer",
           "miharu.stores.sqlite.repair.rescue.rescue")
print(sorted(sys.modules.keys() & set(watched)))
"""
    )
    assert (
        run(script, database)
        .strip()
        .endswith("['miharu.providers.openai.completions.chat', 'miharu.stores.sqlite.writer']")
    )
