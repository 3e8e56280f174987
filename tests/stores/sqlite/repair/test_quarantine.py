import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from miharu.stores.sqlite.repair.quarantine import (
    all_set_aside,
    identities,
    leave_behind,
    make_companions_writable,
    mark_done,
    set_aside,
    unfinished,
)

NOW = datetime(2026, 11, 25, 18, 17, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    for part in ("", "-wal", "-shm", ".layout"):
        (tmp_path / f"calls.db{part}").write_text(part)
    return tmp_path / "calls.db"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_nothing_is_deleted(database: Path) -> None:
    aside = set_aside(database, NOW)
    assert aside.path.name == "calls.db.corrupt-20261125T181700Z"
    assert names(database.parent) == [
        f"calls.db.corrupt-20261125T181700Z{part}" for part in ("", "-shm", "-wal", ".layout")
    ]
    assert Path(f"{aside.path}-wal").read_text() == "-wal"


def test_two_in_a_second_have_two_names(database: Path) -> None:
    set_aside(database, NOW)
    database.write_text("another")
    assert set_aside(database, NOW).path.name == "calls.db.corrupt-20261125T181700Z.2"
    assert [aside.since for aside in all_set_aside(database)] == [
        "20261125T181700Z",
        "20261125T181700Z.2",
    ]


def test_what_another_process_had_begun_is_finished(database: Path) -> None:
    Path(f"{database}-wal").rename(f"{database}.corrupt-20261125T181600Z-wal")
    aside = set_aside(database, NOW)
    assert aside.since == "20261125T181600Z"
    assert Path(f"{aside.path}-wal").exists()


def test_what_is_done_has_another_name(database: Path) -> None:
    aside = set_aside(database, NOW)
    assert unfinished(database) == [aside]
    done = mark_done(aside)
    assert done.path.name == "calls.db.salvaged-20261125T181700Z"
    assert unfinished(database) == []
    assert all_set_aside(database) == [done]
    assert all(name.startswith(done.path.name) for name in names(database.parent))
    database.write_text("another")
    assert set_aside(database, NOW).since.endswith(".2")


def test_files_of_others_are_not_taken_for_it(database: Path) -> None:
    for name in ("calls.db.corrupt-soon", "xcalls.db.corrupt-20261125T181700Z", "calls.db.bak"):
        (database.parent / name).touch()
    assert all_set_aside(database) == []
    assert all_set_aside(database / "no" / "folder.db") == []


def test_the_wal_of_a_file_that_was_replaced_stays_behind(database: Path) -> None:
    before = identities(database)
    database.unlink()
    database.write_text("another")
    leave_behind(database, before, NOW)
    assert names(database.parent) == [
        "calls.db",
        "calls.db.layout",
        "calls.db.replaced-20261125T181700Z-wal",
    ]


def test_a_wal_with_nothing_in_it_just_goes(database: Path) -> None:
    Path(f"{database}-wal").write_text("")
    before = identities(database)
    leave_behind(database, before, NOW)
    assert names(database.parent) == ["calls.db", "calls.db.layout"]


def test_what_sqlite_made_when_the_file_was_read_only_becomes_writable(database: Path) -> None:
    Path(f"{database}-wal").chmod(0o400)
    database.chmod(0o600)
    make_companions_writable(database)
    expected = 0o400 if os.access(Path(f"{database}-wal"), os.W_OK) and os.geteuid() == 0 else 0o600
    assert stat.S_IMODE(Path(f"{database}-wal").stat().st_mode) == expected


def test_the_wal_of_the_new_file_does_not(database: Path) -> None:
    before = identities(database)
    for part in ("-wal", "-shm"):
        Path(f"{database}{part}").unlink()
        Path(f"{database}{part}").write_text("new")
    # The new one may have got the inode of the old one: then nobody can tell them apart.
    same = identities(database)
    leave_behind(database, before, NOW)
    for part in ("-wal", "-shm"):
        assert Path(f"{database}{part}").exists() == (same[part] != before[part])


@pytest.mark.parametrize("trap", ["link", "hard link", "open folder"])
def test_no_other_file_becomes_writable_by_that(
    database: Path, trap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim = database.with_name("victim")
    victim.touch(mode=0o400)
    wal = Path(f"{database}-wal")
    wal.unlink()
    if trap == "link":
        wal.symlink_to(victim)
    elif trap == "hard link":
        wal.hardlink_to(victim)
    else:
        wal.touch(mode=0o400)
        database.parent.chmod(0o777)
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) == database)
    make_companions_writable(database)
    assert stat.S_IMODE(wal.stat().st_mode) == 0o400


@pytest.mark.parametrize("trap", ["link", "hard link", "writable"])
def test_what_is_not_of_this_user_alone_is_no_file_that_was_set_aside(
    database: Path, trap: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Its first page would be written anew."""
    aside = set_aside(database)
    if trap == "writable":
        aside.path.chmod(0o666)
    else:
        aside.path.rename(database.with_name("victim"))
        link = aside.path.symlink_to if trap == "link" else aside.path.hardlink_to
        link(database.with_name("victim"))
    assert not all_set_aside(database)
    assert [message.endswith("it is not read.") for message in caplog.messages] == [True]
