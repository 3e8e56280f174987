import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from miharu.stores.sqlite.repair.damage import Symptoms, look
from miharu.stores.sqlite.repair.layout import beside

from .conftest import PAGE, Damage, Written, damage, zeroed

NOISE = os.urandom(PAGE)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (lambda data: data[: len(data) // 2], "has been cut off"),
        (lambda data: data[:PAGE], "has been cut off"),
        (lambda data: NOISE[:100] + data[100:], "has no header of SQLite"),
        (lambda data: NOISE + data[PAGE:], "has no header of SQLite"),
        (lambda data: data[:16] + b"\xff\xff" + data[18:], "has a broken header"),
        (lambda data: data[:100] + b"\xff" * 500 + data[600:], "is damaged"),
        (lambda data: data.replace(b"CREATE TABLE llm_calls", b"CREATE TABLE \xdflm_calls"), "is damaged"),
        (zeroed(range(4)), "has no header of SQLite"),
    ],
)
def test_damage_to_a_file_of_ours_is_named(written: Written, how: Damage, words: str) -> None:
    damage(written.path, how)
    finding = look(written.path)
    assert finding.state == "damaged"
    assert finding.words.startswith(words)


def test_a_sound_file_is_sound(written: Written) -> None:
    assert look(written.path).state == "sound"


def test_a_file_that_lags_behind_its_wal_is_sound(tmp_path: Path) -> None:
    path = tmp_path / "calls.db"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA application_id = 0x4D494852")
    connection.execute("CREATE TABLE llm_calls (id)")
    assert path.stat().st_size == PAGE
    assert look(path).state == "sound"
    connection.close()


def test_there_may_be_nothing_yet(tmp_path: Path) -> None:
    path = tmp_path / "calls.db"
    assert look(path).state == "new"
    path.touch()
    assert look(path).state == "new"


@pytest.mark.parametrize("content", [b"my shopping list", b"x" * 3 * PAGE, NOISE[:1000], NOISE * 2 + b"!"])
@pytest.mark.parametrize("after_ours", [False, True])
def test_what_never_was_ours_is_foreign(written: Written, content: bytes, after_ours: bool) -> None:
    """Also where there was a file of ours before it."""
    if not after_ours:
        beside(written.path).unlink()
    written.path.write_bytes(content)
    assert look(written.path).state == "foreign"


def test_another_programs_database_is_foreign_whole_or_not(tmp_path: Path) -> None:
    path = tmp_path / "calls.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA application_id = 99")
    connection.execute("CREATE TABLE users (id)")
    connection.execute("INSERT INTO users VALUES (zeroblob(20000))")
    connection.commit()
    connection.close()
    assert look(path).state == "foreign"
    path.write_bytes(path.read_bytes()[:PAGE])
    assert look(path).state == "foreign"


def test_what_may_not_be_read_is_not_judged(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="is a folder"):
        look(tmp_path)


def raised(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("as SQLite says it")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    "code",
    [
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_READONLY_DIRECTORY,
        sqlite3.SQLITE_READONLY_DBMOVED,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_IOERR_WRITE,
        sqlite3.SQLITE_IOERR_FSYNC,
    ],
)
def test_what_passes_is_no_damage(code: int) -> None:
    symptoms = Symptoms()
    assert not any(symptoms.of_damage(raised(code)) for _ in range(10))


@pytest.mark.parametrize(
    "code", [sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_CORRUPT_INDEX, sqlite3.SQLITE_NOTADB]
)
def test_what_does_not_pass_is_damage(code: int) -> None:
    assert Symptoms().of_damage(raised(code))


def test_a_disk_that_cannot_read_is_damage_when_it_goes_on() -> None:
    symptoms, error = Symptoms(), raised(sqlite3.SQLITE_IOERR_READ)
    assert [symptoms.of_damage(error) for _ in range(2)] == [False, False]
    symptoms.gone()
    assert [symptoms.of_damage(error) for _ in range(3)] == [False, False, True]


def test_other_exceptions_are_none() -> None:
    assert not Symptoms().of_damage(OSError(28, "No space left on device"))
    assert not Symptoms().of_damage(None)


def test_a_transaction_that_a_dead_process_has_begun_before_the_wal_is_taken_back(tmp_path: Path) -> None:
    """SQLite answers nothing else of the file, and a connection for reading cannot do it."""
    path = tmp_path / "calls.db"
    dying = (
        "import os, sqlite3, sys\n"
        "it = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "it.execute('CREATE TABLE one (x)')\n"
        "it.execute('PRAGMA cache_size = 1')\n"
        "it.execute('BEGIN')\n"
        "it.execute('CREATE TABLE two (x)')\n"
        "for _ in range(100): it.execute('INSERT INTO one VALUES (zeroblob(4000))')\n"
        "os._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", dying, str(path)], check=True)
    assert Path(f"{path}-journal").stat().st_size > 0
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        look(path)
    assert look(path, may_write=True).state == "foreign"
    assert not Path(f"{path}-journal").exists()
