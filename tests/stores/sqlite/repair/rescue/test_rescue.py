import os
import sqlite3
import threading
import zlib
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from miharu.batch import Batch
from miharu.errors import StoreError
from miharu.files.private import open_ours
from miharu.stores.sqlite.locks.writer_lock import WriterLock
from miharu.stores.sqlite.repair.damage import connect, look
from miharu.stores.sqlite.repair.layout import TABLES, beside, layout_of
from miharu.stores.sqlite.repair.quarantine import SetAside, all_set_aside, set_aside, unfinished
from miharu.stores.sqlite.repair.rescue import pacing, rescue, rescuer
from miharu.stores.sqlite.repair.rescue.pacing import AtOnce, Stopped
from miharu.stores.sqlite.repair.rescue.report import Report, load
from miharu.stores.sqlite.repair.rescue.rescue import bring_back
from miharu.stores.sqlite.repair.rescue.rescuer import ATTEMPTS, Rescuer
from miharu.testing.open_store import both
from miharu.testing.store_contract import make_call
from tests.stores.sqlite.repair.conftest import PAGE, Damage, Written, damage, read, write, zeroed

NOISE = os.urandom(PAGE)


def renewed(written: Written) -> SetAside:
    """Set it aside, and begin a new file with one call; no store is open that would begin the rescue."""
    aside = set_aside(written.path)
    fresh = written.path.with_name("fresh.db")
    write(fresh, Batch(calls=[make_call(model="new")]))
    for part in ("", ".layout"):
        Path(f"{fresh}{part}").rename(f"{written.path}{part}")
    return aside


def brought(written: Written) -> Report:
    found = bring_back(renewed(written), written.path, AtOnce())
    assert found is not None
    done, report = found
    assert done.done
    assert done.path.exists()
    assert look(written.path).state == "sound"
    return report


@pytest.mark.parametrize(
    ("how", "least"),
    [
        (lambda data: data, 3000),
        (lambda data: NOISE[:100] + data[100:], 3000),
        (lambda data: NOISE + data[PAGE:], 3000),
        (lambda data: data[:18] + NOISE[:500] + data[518:], 3000),
        (lambda data: data[: int(len(data) * 0.9)], 2400),
        (lambda data: data[: len(data) // 2], 1000),
        (zeroed(range(300, 310)), 2800),
        (lambda data: data[:PAGE], 0),
        (lambda data: data[:PAGE] + bytes(len(data) - PAGE), 0),
        (zeroed(range(4)), 2980),
        (zeroed(range(1, 30)), 2700),
    ],
)
def test_what_can_be_read_is_brought_back(written: Written, how: Damage, least: int) -> None:
    damage(written.path, how)
    report = brought(written)
    found = {call.id: call for call in read(written.path)}
    known = {call.id: replace(call, body=None) for call in written.calls}
    back = {id_: call for id_, call in found.items() if id_ in known}
    assert len(found) == len(back) + 1
    assert len(back) >= least
    assert report.calls.read == report.calls.new == len(back)
    assert all(call == known[id_] for id_, call in back.items())
    if least == 3000:
        assert report.words() == "3,000 calls were brought back, none was lost"
        with connect(written.path) as connection:
            for table, rows in (
                ("llm_spans", 20),
                ("llm_scores", 20),
                ("llm_markers", 20),
                ("llm_bodies", 300),
            ):
                assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (rows,)


def test_rows_to_which_nothing_leads_are_told_apart_from_those_of_other_tables(written: Written) -> None:
    damage(written.path, zeroed(range(20)))
    report = brought(written)
    assert "some from pages to which nothing leads any more" in report.words()
    new = {call.id for call in read(written.path) if call.model == "new"}
    with connect(written.path) as connection:
        for table, known in (
            ("llm_spans", {span.id for span in written.spans}),
            ("llm_scores", {score.id for score in written.scores}),
            ("llm_calls", {call.id for call in written.calls} | new),
        ):
            assert {row[0] for row in connection.execute(f"SELECT id FROM {table}")} <= known
        bodies = dict(connection.execute("SELECT call_id, request FROM llm_bodies"))
    assert bodies
    sent = {call.id: call.body.request for call in written.calls if call.body}
    assert {id_: zlib.decompress(packed) for id_, packed in bodies.items()}.items() <= sent.items()


def test_each_table_has_a_width_of_its_own(written: Written) -> None:
    """By that a row is told which nothing leads to."""
    layout = layout_of(written.path)
    assert layout is not None
    assert len({len(table.columns) for table in layout.tables.values()}) == len(TABLES)


def test_the_roll_ups_are_made_anew(written: Written) -> None:
    import anyio

    from miharu.stores.sqlite import SQLiteStore
    from miharu.testing.store_contract import ALL

    brought(written)

    async def sums() -> tuple[int, int]:
        store = both(SQLiteStore(f"sqlite+aiosqlite:///{written.path}"))
        await store.open()
        while await store.roll_up():
            pass
        totals = await store.totals(ALL)
        await store.close()
        return totals.calls, totals.cost_nanousd

    assert anyio.run(sums) == (3001, 3_001_000)


def test_the_first_page_as_it_was_is_kept(written: Written) -> None:
    damage(written.path, lambda data: NOISE + data[PAGE:])
    brought(written)
    [aside] = all_set_aside(written.path)
    assert Path(f"{aside.path}.page1").read_bytes() == NOISE


def test_a_sound_first_page_is_left_as_it_is(written: Written) -> None:
    damage(written.path, zeroed(range(300, 310)))
    before = written.path.read_bytes()
    brought(written)
    [aside] = all_set_aside(written.path)
    assert aside.path.read_bytes() == before


def test_without_a_layout_a_lost_first_page_is_the_end(written: Written) -> None:
    damage(written.path, lambda data: NOISE + data[PAGE:])
    beside(written.path).unlink()
    report = brought(written)
    assert report.words().startswith("no call could be brought back: its first page is damaged")


def wal(path: Path, calls: int) -> bytes:
    """Add calls and change one, all of which stays in the WAL; returns it."""
    with closing(
        sqlite3.connect(path, isolation_level=None)
    ) as reader:  # it keeps the WAL from being folded in
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM llm_calls LIMIT 1").fetchone()
        write(path, Batch(calls=[make_call(model="wal") for _ in range(calls)]))
        with closing(sqlite3.connect(path, isolation_level=None)) as writer:
            writer.execute("UPDATE llm_calls SET host = 'changed' WHERE rowid = 1500")
        copies = {part: Path(f"{path}{part}").read_bytes() for part in ("", "-wal")}
        reader.execute("COMMIT")
    for part in ("", "-wal"):
        Path(f"{path}{part}").write_bytes(copies[part])
    return copies["-wal"]


@pytest.mark.parametrize("lost", [range(300, 310), range(1)])
def test_what_stands_in_the_wal_is_brought_back(written: Written, lost: range) -> None:
    assert wal(written.path, 50)
    damage(written.path, zeroed(lost))
    brought(written)
    found = read(written.path)
    assert sum(call.model == "wal" for call in found) == 50
    assert sum(call.host == "changed" for call in found) == 1


def test_what_a_damaged_wal_hides_is_brought_back(written: Written) -> None:
    """With the changes beside it the table has holes; without them it has none."""
    changes = bytearray(wal(written.path, 50))
    frame = 24 + PAGE
    for start in range(32, len(changes), frame):
        number = int.from_bytes(changes[start : start + 4])
        if number > 2:
            changes[start + 24 : start + 34] = bytes(10)
    Path(f"{written.path}-wal").write_bytes(resummed(bytes(changes), frame))
    report = brought(written)
    found = {call.id for call in read(written.path)}
    assert {call.id for call in written.calls} <= found
    assert report.again["llm_calls"].new > 0


def resummed(changes: bytes, frame: int) -> bytes:
    """With checksums that hold (https://www.sqlite.org/walformat.html#checksum_algorithm)."""
    order = "big" if changes[3] & 1 else "little"
    one, two = (int.from_bytes(changes[at : at + 4]) for at in (24, 28))
    out = bytearray(changes)
    for start in range(32, len(changes), frame):
        for part in (changes[start : start + 8], changes[start + 24 : start + frame]):
            for at in range(0, len(part), 8):
                one = one + int.from_bytes(part[at : at + 4], order) + two & 0xFFFF_FFFF  # type: ignore[arg-type]
                two = two + int.from_bytes(part[at + 4 : at + 8], order) + one & 0xFFFF_FFFF  # type: ignore[arg-type]
        out[start + 16 : start + 24] = one.to_bytes(4) + two.to_bytes(4)
    return bytes(out)


def test_an_older_schema_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "calls.db"
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TABLE llm_calls (id TEXT, timestamp INTEGER, api TEXT, stream INTEGER, "
            "status TEXT, usage_source TEXT, duration_ms INTEGER)"
        )
        connection.execute("CREATE TABLE llm_bodies (call_id TEXT, request BLOB, response BLOB)")
        call = make_call()
        connection.execute(
            "INSERT INTO llm_calls VALUES (?, ?, 'a', 0, 'success', 'none', 1000)", (call.id, call.timestamp)
        )
        connection.execute("INSERT INTO llm_bodies VALUES (?, NULL, NULL)", (call.id,))
    connection.close()
    brought(Written(path, (call,), (), ()))
    with connect(path) as connection:
        assert connection.execute(
            "SELECT api, duration_bucket > 100 FROM llm_calls WHERE id = ?", (call.id,)
        ).fetchone() == ("a", 1)
        assert connection.execute("SELECT timestamp FROM llm_bodies").fetchone() == (call.timestamp,)


class Few:
    """Stops after some steps."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def rest(self, worked: float) -> None:
        self.steps -= 1
        if not self.steps:
            raise Stopped

    def wait(self, seconds: float, error: Exception) -> None:
        raise error


def test_it_goes_on_where_it_stopped(written: Written) -> None:
    aside = renewed(written)
    with pytest.raises(Stopped):
        bring_back(aside, written.path, Few(4))
    assert unfinished(written.path) == [aside]
    report = load(aside)
    assert (report.tables["llm_calls"].read, report.attempts) == (4 * rescue.ROWS, 0)
    assert len(read(written.path)) == 4 * rescue.ROWS + 1
    found = bring_back(aside, written.path, AtOnce())
    assert found is not None
    assert found[1].calls.read == found[1].calls.new == 3000
    assert len(read(written.path)) == 3001


def test_a_lost_report_only_means_more_work(written: Written) -> None:
    aside = renewed(written)
    with pytest.raises(Stopped):
        bring_back(aside, written.path, Few(4))
    aside.report.write_text("{")
    found = bring_back(aside, written.path, AtOnce())
    assert found is not None
    assert (found[1].calls.read, found[1].calls.new) == (3000, 3000 - 4 * rescue.ROWS)
    assert len(read(written.path)) == 3001


@pytest.mark.skipif(os.name != "posix", reason="locks on files are POSIX's")
def test_two_are_not_at_it_at_once(written: Written) -> None:
    aside = renewed(written)

    class Meanwhile(AtOnce):
        found: object = "not tried"

        def rest(self, worked: float) -> None:
            if self.found == "not tried":
                self.found = bring_back(aside, written.path, AtOnce())

    pace = Meanwhile()
    assert bring_back(aside, written.path, pace) is not None
    assert pace.found is None


@pytest.mark.parametrize("moment", ["before it is opened", "after it was opened"])
def test_a_file_that_another_is_done_with_is_left_alone(
    written: Written, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    aside = renewed(written)

    def done_first(path: Path) -> int:
        monkeypatch.setattr(rescue, "open_ours", open_ours)
        handle = open_ours(path) if moment == "after it was opened" else None
        assert bring_back(aside, written.path, AtOnce()) is not None
        return open_ours(path) if handle is None else handle

    monkeypatch.setattr(rescue, "open_ours", done_first)
    assert bring_back(aside, written.path, AtOnce()) is None
    assert len(read(written.path)) == 3001


def test_it_waits_for_a_new_file_that_cannot_take_it(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("miharu.stores.sqlite.locks.writer_lock.WAIT_S", 0.01)
    aside = renewed(written)
    gate = WriterLock(written.path)
    gate.open()

    waits: list[float] = []

    class UntilOpen(AtOnce):
        def wait(self, seconds: float, error: Exception) -> None:
            waits.append(seconds)
            if len(waits) == 3:
                gate.close()

    with gate.held():
        found = bring_back(aside, written.path, UntilOpen())
    assert found is not None
    assert found[1].calls.read == 3000
    assert waits == [0.1, 0.2, 0.4]


def test_whoever_waits_for_it_is_told_why_it_does_not_go_on(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pacing, "PATIENCE_S", 0.05)
    aside = set_aside(written.path)
    with pytest.raises(StoreError, match="unable to open"):
        bring_back(aside, written.path, AtOnce())
    assert unfinished(written.path) == [aside]


def wait_for(rescuing: Rescuer) -> None:
    assert rescuing._thread is not None
    rescuing._thread.join(60)
    assert not rescuing._thread.is_alive()


def test_a_thread_does_it(
    written: Written, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(rescuer, "_WORKS", 1)
    aside = renewed(written)
    rescuing = Rescuer(written.path)
    rescuing.start()
    wait_for(rescuing)
    assert len(read(written.path)) == 3001
    [message] = caplog.messages
    assert message == (
        "miharu: of the damaged database, 3,000 calls were brought back, none was lost. It stays as "
        f"{written.path}.salvaged-{aside.since}."
    )
    rescuing.start()  # there is nothing left to do
    assert not rescuing._thread.is_alive() if rescuing._thread else True


def test_a_thread_can_be_stopped_and_another_goes_on(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rescue, "ROWS", 100)
    aside = renewed(written)
    rescuing = Rescuer(written.path)
    stepped = threading.Event()
    rest = rescuing.rest

    def told(worked: float) -> None:
        stepped.set()
        rest(worked)

    monkeypatch.setattr(rescuing, "rest", told)
    rescuing.start()
    assert stepped.wait(30)
    rescuing.stop()
    wait_for(rescuing)
    assert unfinished(written.path) == [aside]
    assert 0 < load(aside).tables["llm_calls"].read < 3000
    monkeypatch.setattr(rescuer, "_WORKS", 1)
    again = Rescuer(written.path)
    again.start()
    wait_for(again)
    assert len(read(written.path)) == 3001


def test_what_fails_again_and_again_is_left_to_somebody(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MIHARU_UNGUARDED")
    monkeypatch.setattr(rescue, "opened", None)
    aside = renewed(written)
    for _ in range(ATTEMPTS):
        rescuing = Rescuer(written.path)
        rescuing.start()
        wait_for(rescuing)
    assert unfinished(written.path) == [aside]
    last = Rescuer(written.path)
    last.start()
    assert last._thread is None
