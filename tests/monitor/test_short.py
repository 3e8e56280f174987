"""A user who may start no thread, or may not write the file: calls wait in a spool, and that is said."""

import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.security.users import ASK, VICTIM, Users, owned, users, world

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="it takes root to become another user"
)
NO_THREADS = "import resource\nresource.setrlimit(resource.RLIMIT_NPROC, (1, 1))\n"
ASK_AND_LEAVE = ASK.replace("miharu.flush(20)", "miharu.flush(0.5)")


@pytest.fixture(scope="module")
def machine() -> Iterator[Users]:
    with users() as running:
        yield running


@pytest.fixture
def home() -> Iterator[Path]:
    with world() as shared:
        folder = shared / "home"
        folder.mkdir()
        yield owned(folder, VICTIM)


def rows(database: Path) -> int:
    with closing(sqlite3.connect(database)) as opened:
        return int(opened.execute("SELECT count(*) FROM llm_calls").fetchone()[0])


def spools(database: Path) -> list[Path]:
    return sorted(database.parent.glob("*.spool-*"))


def test_without_any_thread_calls_wait_beside_the_database(machine: Users, home: Path) -> None:
    database = home / "calls.db"
    out = machine.run(VICTIM, NO_THREADS + ASK_AND_LEAVE, str(database), cwd=home, home=home)
    assert out.code == 0
    assert "no thread could be started" in out.err
    assert "1 wait for the next start" in out.err
    assert len(spools(database)) == 1
    machine.run(VICTIM, ASK, str(database), cwd=home, home=home)
    assert rows(database) == 2
    assert spools(database) == []


def test_threads_that_run_out_later_stop_nothing(machine: Users, home: Path) -> None:
    database = home / "calls.db"
    script = ASK.replace("import httpx2\n", NO_THREADS + "import httpx2\n")
    out = machine.run(VICTIM, script, str(database), cwd=home, home=home)
    assert out.out.split() == ["1", str(database)]
    assert rows(database) == 1


def test_beside_a_file_that_may_only_be_read_they_wait_and_are_counted(machine: Users, home: Path) -> None:
    database = home / "calls.db"
    machine.run(VICTIM, ASK, str(database), cwd=home, home=home)
    database.chmod(0o400)
    out = machine.run(VICTIM, ASK_AND_LEAVE, str(database), cwd=home, home=home)
    assert "it is read-only" in out.err
    assert "1 wait for the next start" in out.err
    said = machine.command(VICTIM, "stats", "--database", str(database), cwd=home, home=home)
    assert "1 call is not in these figures yet" in said.err
    database.chmod(0o600)
    said = machine.command(VICTIM, "stats", "--database", str(database), cwd=home, home=home)
    assert "calls    2" in said.out
    assert spools(database) == []


def test_where_nothing_may_be_written_what_is_lost_is_counted(machine: Users, home: Path) -> None:
    database = home / "calls.db"
    machine.run(VICTIM, ASK, str(database), cwd=home, home=home)
    database.chmod(0o400)
    home.chmod(0o500)
    out = machine.run(VICTIM, ASK_AND_LEAVE, str(database), cwd=home, home=home)
    assert out.code == 0
    assert "none could be kept elsewhere, 1 are lost" in out.err
