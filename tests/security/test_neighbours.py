"""Other users of the machine: what they put into a shared folder, and what comes of it. It takes root."""

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from tests.security.users import ASK, ROOT, STRANGER, VICTIM, Users, owned, users, world

pytestmark = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="it takes root to become two users"
)

PAIRS = {
    "a user's by another": (VICTIM, STRANGER),
    "root's by a user": (ROOT, STRANGER),
    "a user's by root": (STRANGER, ROOT),
}
NAMES = {
    "itself": ("", ".layout", ".lock"),
    "SQLite's": ("-wal", "-shm", "-journal"),
    "lock": (".lock",),
    "others": (".layout", ".plans", ".token", ".spool-1-a", ".corrupt-20260101T000000Z"),
}
"""What follows the name of the database."""
BRIEFLY = ASK.replace("(20)", "(2)")
COMMANDS = {
    "stats": ("stats",),
    "tail": ("tail",),
    "export": ("export", "--format", "csv"),
    "prune": ("prune", "--before", "1d", "--yes"),
    "reprice": ("reprice", "--since", "1d"),
    "doctor": ("doctor",),
    "repair": ("doctor", "--repair"),
    "dashboard": ("dashboard", "--port", "0"),
}


WAITING = {"tail", "dashboard"}
"""Commands that wait for a database."""
INTERRUPTED = """
import os, signal, threading
from miharu.cli import main
threading.Timer(3, os.kill, (os.getpid(), signal.SIGINT)).start()
raise SystemExit(main(list(arguments)))
"""


@pytest.fixture(scope="module")
def machine() -> Iterator[Users]:
    with users() as found:
        yield found


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that everybody may write to."""
    with world() as folder:
        made = folder / "shared"
        made.mkdir()
        made.chmod(0o777)
        yield made


@pytest.fixture(params=PAIRS)
def pair(request: pytest.FixtureRequest) -> tuple[int, int]:
    """Who is attacked, and by whom."""
    return PAIRS[request.param]


def home_of(uid: int, shared: Path) -> Path:
    home = shared.parent / f"home-{uid}"
    if not home.exists():
        home.mkdir()
        owned(home, uid, 0o755)
    return home


def state_of(uid: int, shared: Path) -> Path:
    return home_of(uid, shared) / ".local" / "state" / "miharu" / "calls.db"


def plant(folder: Path, attacker: int) -> Path:
    """A project and a place for calls that anybody may write to, with a database in it that looks real."""
    (folder / ".git").mkdir(exist_ok=True)
    owned(folder / ".git", attacker, 0o777)
    planted = folder / ".miharu"
    planted.mkdir()
    owned(planted, attacker, 0o777)
    file = planted / "calls.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA application_id = 0x4D494852")
        connection.execute("CREATE TABLE llm_calls (id, model)")
        connection.execute("INSERT INTO llm_calls VALUES ('planted', 'planted-model')")
        connection.commit()
    owned(file, attacker, 0o666)
    return planted


def tree(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """All that is in it: whose, how open, and what."""
    return {
        str(path): (
            path.lstat().st_uid,
            path.lstat().st_mode,
            path.read_bytes() if stat.S_ISREG(path.lstat().st_mode) else b"",
        )
        for path in sorted(folder.rglob("*"))
    }


def calls_in(file: Path) -> int:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        return int(connection.execute("SELECT count(*) FROM llm_calls").fetchone()[0])


def test_a_planted_project_is_passed_over(machine: Users, shared: Path, pair: tuple[int, int]) -> None:
    victim, attacker = pair
    planted = plant(shared, attacker)
    work = shared / "work"
    work.mkdir()
    owned(work, victim)
    before = tree(planted)
    home, state = home_of(victim, shared), state_of(victim, shared)
    out = machine.run(victim, ASK, cwd=work, home=home)
    assert out.out.split() == ["1", str(state)]
    assert tree(planted) == before
    assert calls_in(state) == 1
    assert stat.S_IMODE(state.parent.stat().st_mode) == 0o700
    (line,) = out.err.splitlines()
    assert f"{shared} may be written by others" in line
    assert f"calls are kept in {state}" in line


def test_in_a_sticky_folder_a_folder_of_ones_own_is_used(
    machine: Users, shared: Path, pair: tuple[int, int]
) -> None:
    victim, attacker = pair
    planted = plant(shared, attacker)
    shared.chmod(0o1777)
    work = shared / "work"
    work.mkdir()
    owned(work, victim)
    before = tree(planted)
    out = machine.run(victim, ASK, cwd=work, home=home_of(victim, shared))
    assert out.out.split() == ["1", str(work / ".miharu" / "calls.db")]
    assert tree(planted) == before
    (line,) = out.err.splitlines()
    assert line.startswith(f"miharu: {planted} ")


def test_a_place_of_ones_own_that_was_opened_to_others_is_passed_over(machine: Users, shared: Path) -> None:
    shared.chmod(0o755)
    home = home_of(VICTIM, shared)
    place = home / ".miharu"
    place.mkdir()
    owned(place, VICTIM, 0o770)
    out = machine.run(VICTIM, ASK, cwd=home, home=home)
    assert out.out.split() == ["1", str(state_of(VICTIM, shared))]
    assert "may be written by others (mode 0770)" in out.err
    assert not list(place.iterdir())


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_no_command_reads_or_changes_what_was_planted(
    machine: Users, shared: Path, pair: tuple[int, int], command: tuple[str, ...]
) -> None:
    victim, attacker = pair
    planted = plant(shared, attacker)
    before = tree(planted)
    waits = command[0] in WAITING
    run = partial(machine.run, victim, INTERRUPTED) if waits else partial(machine.command, victim)
    out = run(*command, cwd=shared, home=home_of(victim, shared))
    assert "planted-model" not in out.out + out.err
    assert tree(planted) == before
    assert f"{shared} may be written by others (mode 0777)" in out.err
    assert str(state_of(victim, shared)) in out.err
    if command[0] != "doctor":
        assert out.code == (0 if waits or command[0] == "stats" else 2)
        assert "no database" in out.err


@pytest.mark.parametrize("kind", ["symbolic", "hard"])
@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("pair", [(VICTIM, STRANGER), (ROOT, STRANGER)], ids=["a user's", "root's"])
def test_links_at_the_names_beside_a_database_lead_nowhere(
    machine: Users, shared: Path, pair: tuple[int, int], kind: str, names: tuple[str, ...]
) -> None:
    """Somebody has named a file in a shared folder, which is used with a warning, or not at all."""
    victim, attacker = pair
    home, file = home_of(victim, shared), shared / "calls.db"
    precious = [home / f".bashrc{name}" for name in names]
    for name, target in zip(names, precious, strict=True):
        target.write_text("umask 022\n")
        owned(target, victim, 0o644)
        link = Path(f"{file}{name}")
        if kind == "hard":
            os.link(target, link)  # with fs.protected_hardlinks its owner or root alone can
        else:
            link.symlink_to(target)
            owned(link, attacker)
    before = tree(home)
    out = machine.run(victim, BRIEFLY, str(file), cwd=home, home=home)
    machine.command(victim, "reprice", "--since", "1d", "--database", str(file), cwd=home, home=home)
    after = tree(home)
    assert {name: after[name] for name in before} == before
    assert out.out.split()[0] == ("0" if names[0] in {"", "-wal", ".lock"} else "1")
    assert "may be written by others" in out.err or "is not used, because" in out.err


@pytest.mark.parametrize("kind", ["symbolic", "hard"])
def test_an_empty_file_of_the_victims_is_not_made_a_database(machine: Users, shared: Path, kind: str) -> None:
    home = home_of(VICTIM, shared)
    empty = home / ".hushlogin"
    empty.touch()
    owned(empty, VICTIM, 0o644)
    if kind == "hard":
        os.link(empty, shared / "calls.db")
    else:
        owned(shared, STRANGER, 0o777)
        (shared / "calls.db").symlink_to(empty)
        owned(shared / "calls.db", STRANGER)
        owned(shared, 0)
    out = machine.run(VICTIM, BRIEFLY, str(shared / "calls.db"), cwd=home, home=home)
    assert out.out.split()[0] == "0"
    assert not empty.read_bytes()
    assert f"{shared / 'calls.db'} is not used, because it" in out.err


def test_the_old_draft_of_a_layout_is_not_followed(machine: Users, shared: Path) -> None:
    """Its name was ``calls.db.layout.new-<pid>``, and what it led to was overwritten."""
    home = home_of(VICTIM, shared)
    precious = home / ".bashrc"
    precious.write_text("umask 022\n")
    owned(precious, VICTIM)
    script = (
        "import os\nfor pid in range(os.getpid(), os.getpid() + 3):\n"
        f"    os.symlink({str(precious)!r}, f'{{arguments[0]}}.layout.new-{{pid}}')\n"
    )
    out = machine.run(VICTIM, script + ASK, str(shared / "calls.db"), cwd=home, home=home)
    assert out.out.split()[0] == "1"
    assert precious.read_text() == "umask 022\n"
    assert (shared / "calls.db.layout").lstat().st_size > 100
    assert "may be written by others (mode 0777), so others can put another file in the place of" in out.err


@pytest.mark.parametrize("reader", [ROOT, STRANGER], ids=["root", "a user"])
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_database_of_another_user_is_not_written_to(
    machine: Users, shared: Path, reader: int, command: tuple[str, ...]
) -> None:
    owner = VICTIM
    home = home_of(owner, shared)
    file = home / "calls.db"
    machine.run(owner, ASK, str(file), cwd=home, home=home)
    assert calls_in(file) == 1
    file.chmod(0o666)
    home.chmod(0o777)
    before = tree(home)
    elsewhere = home_of(reader, shared)
    out = machine.command(reader, *command, "--database", str(file), cwd=elsewhere, home=elsewhere)
    assert tree(home) == before
    assert "Run this as the user 54321" in " ".join((out.out + out.err).split())
    assert out.code == (1 if command[0] == "doctor" else 2)


@pytest.mark.parametrize("recorder", [ROOT, STRANGER], ids=["root", "a user"])
def test_calls_are_not_recorded_into_another_users_folder(
    machine: Users, shared: Path, recorder: int
) -> None:
    theirs, home = home_of(VICTIM, shared), home_of(recorder, shared)
    theirs.chmod(0o777)
    out = machine.run(recorder, BRIEFLY, str(theirs / "calls.db"), cwd=home, home=home)
    assert out.out.split()[0] == "0"
    assert not list(theirs.iterdir())
    assert "belongs to the user 54321, who could lead it elsewhere. Run this as the user 54321, or" in out.err


def test_a_reader_who_could_not_write_there_may_read(machine: Users, shared: Path) -> None:
    shared.chmod(0o755)
    home, file = home_of(VICTIM, shared), home_of(VICTIM, shared) / "calls.db"
    hold = "import time, pathlib\n" + ASK.replace("miharu.shutdown(20)\n", "")
    machine.run(VICTIM, hold, str(file), cwd=home, home=home)  # it has ended without tidying up
    for part in ("", "-wal", "-shm"):
        (home / f"calls.db{part}").chmod(0o644)
    before = tree(home)
    stranger = home_of(STRANGER, shared)
    out = machine.command(STRANGER, "stats", "--database", str(file), cwd=stranger, home=stranger)
    assert out.code == 0, out.err
    assert "gpt-4o" in out.out
    assert {name: facts for name, facts in tree(home).items() if "shm" not in name} == {
        name: facts for name, facts in before.items() if "shm" not in name
    }


def test_a_home_of_another_user_is_not_written_to(machine: Users, shared: Path) -> None:
    """As with ``sudo`` where it leaves ``HOME`` as it was."""
    shared.chmod(0o755)
    theirs = home_of(VICTIM, shared)
    before = tree(theirs)
    (shared / "work").mkdir()
    owned(shared / "work", VICTIM)
    out = machine.command(ROOT, "stats", cwd=shared / "work", home=theirs)
    assert out.code == 0
    assert f"{theirs} belongs to the user 54321" in " ".join(out.err.split())
    assert "/root/.local/state/miharu" in out.err
    assert tree(theirs) == before


def test_a_folder_that_another_user_can_rename_is_not_used(machine: Users, shared: Path) -> None:
    """The folder is the victim's own, and closed; the one that it lies in is not."""
    home = home_of(VICTIM, shared)
    place = shared / "deep" / ".miharu"
    place.mkdir(parents=True)
    owned(place.parent, VICTIM, 0o700)
    owned(place, VICTIM, 0o700)
    out = machine.run(VICTIM, ASK, cwd=place.parent, home=home)
    assert out.out.split() == ["1", str(state_of(VICTIM, shared))]
    assert f"{shared} may be written by others (mode 0777)" in out.err
    assert not list(place.iterdir())


def test_the_token_of_another_user_is_not_taken(machine: Users, shared: Path, pair: tuple[int, int]) -> None:
    victim, attacker = pair
    owned(shared, 0, 0o1777)
    token = shared / "calls.db.token"
    token.write_text("known-to-the-attacker-4711\n")
    owned(token, attacker, 0o644)
    script = (
        "from miharu.dashboard.access.secret import token_for\n"
        "print(token_for('sqlite+aiosqlite:///' + arguments[0]))\n"
    )
    home = home_of(victim, shared)
    out = machine.run(victim, script, str(shared / "calls.db"), cwd=home, home=home)
    assert len(out.out.strip()) > 40
    assert "known" not in out.out
    assert token.read_text() == "known-to-the-attacker-4711\n"
