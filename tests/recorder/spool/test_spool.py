import os
import stat
import struct
import subprocess
import sys
import tracemalloc
import zlib
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from miharu.batch import Batch, Score, Span
from miharu.call import Body, Cost
from miharu.config import MEMORY, resolve_database
from miharu.recorder.spool import Spool, SpoolFile, place_for
from miharu.recorder.spool.records import unpack
from miharu.testing.store_contract import make_call


def batch(*models: str) -> Batch:
    return Batch(
        calls=[make_call(model=model, body=Body(request=b"\0\xff", response=None)) for model in models]
    )


def rest(spool: Spool | SpoolFile) -> list[Batch]:
    found = []
    while (first := spool.first()) is not None:
        assert isinstance(first, Batch)
        found.append(first)
        spool.take()
    return found


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "data" / "calls.db.spool-"


def files(place: Path) -> list[Path]:
    return sorted(place.parent.iterdir()) if place.parent.exists() else []


def left(place: Path, *batches: Batch) -> Path:
    """A file whose owner is gone."""
    spool = Spool(place)
    for each in batches:
        spool.append(each)
    path = spool.path
    assert path is not None
    spool.close()
    return path


def test_what_comes_first_goes_first_and_leaves_nothing(place: Path) -> None:
    spool = Spool(place)
    assert spool.first() is None
    assert not files(place)
    span = Span(id="s", trace_id="t", name="n", timestamp=1, duration_ms=2, status="success", tags={"a": "b"})
    score = Score(id="x", timestamp=1, name="thumb", value=0.5)
    batches = [
        replace(batch("a", "b"), spans=[], scores=[], markers=[]),
        Batch(calls=[make_call(tags={"ü": "日本"})], spans=[span], scores=[score], markers=[]),
    ]
    for each in batches:
        spool.append(each)
    assert spool.waiting == 5
    assert spool.first() == batches[0]
    spool.take()
    spool.append(batch("c"))
    assert spool.waiting == 4
    second, third = rest(spool)
    assert second == batches[1]
    assert third.calls[0].model == "c"
    assert (spool.waiting, files(place)) == (0, [])


def test_what_was_not_taken_comes_again(place: Path) -> None:
    spool = Spool(place)
    spool.append(batch("a"))
    assert spool.first() == spool.first() is not None


def test_only_its_owner_may_read_it(place: Path) -> None:
    spool = Spool(place)
    spool.append(batch("a"))
    [path] = files(place)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.name.startswith(f"calls.db.spool-{os.getpid()}-")


def test_a_file_is_taken_over_when_its_owner_has_died(place: Path) -> None:
    code = f"""
import os, pathlib, sys
from miharu.recorder.spool import Spool
from tests.recorder.spool.test_spool import batch
Spool(pathlib.Path({str(place)!r})).append(batch("a", "b"))
print("ready", flush=True)
sys.stdin.read()
os.kill(os.getpid(), 9)
"""
    owner = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == b"ready\n"
    assert list(Spool(place).left_behind()) == []
    owner.communicate()
    [file] = Spool(place).left_behind()
    assert list(Spool(place).left_behind()) == []
    [found] = rest(file)
    assert [call.model for call in found.calls] == ["a", "b"]
    file.close()
    assert not files(place)


def test_what_was_not_taken_from_it_stays_for_the_next(place: Path) -> None:
    path = left(place, batch("a"), batch("b"))
    [file] = Spool(place).left_behind()
    assert file.first() is not None
    file.take()
    file.close()
    assert files(place) == [path]
    [file] = Spool(place).left_behind()
    assert [each.calls[0].model for each in rest(file)] == ["b"]
    file.close()


@pytest.mark.parametrize("cut", [1, 4, 9, 200])
def test_a_cut_off_end_loses_only_itself(place: Path, cut: int) -> None:
    path = left(place, batch("a"), batch("b"))
    with path.open("rb+") as file:
        file.truncate(path.stat().st_size - cut)
    [found] = Spool(place).left_behind()
    assert [each.calls[0].model for each in rest(found)] == ["a"]
    found.close()
    assert [each.name for each in files(place)] == [f"{path.name}.damaged"]
    assert list(Spool(place).left_behind()) == []


def test_a_damaged_record_loses_only_itself(place: Path) -> None:
    path = left(place, batch("a"), batch("b"), batch("c"))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    [found] = Spool(place).left_behind()
    assert [each.calls[0].model for each in rest(found)] == ["a", "c"]
    assert found.is_damaged


@pytest.mark.parametrize("content", [b"", bytes(10_000), b"hello", b"\xff" * 5000])
def test_a_file_without_any_record_is_nothing(place: Path, content: bytes) -> None:
    place.parent.mkdir()
    place.with_name(f"{place.name}1-x").write_bytes(content)
    for found in Spool(place).left_behind():
        assert rest(found) == []
        found.close()
    assert [each.suffix for each in files(place)] == ([".damaged"] if content else [])


def test_what_nothing_can_be_made_of_loses_only_itself(place: Path) -> None:
    """A provider sends half a character, and plug-ins may put anything anywhere."""
    odd: Any = object()
    calls = [
        make_call(model="half \ud83d"),
        make_call(model="dear", cost=Cost(cost_nanousd=odd, cost_source="x")),
        make_call(model="huge", duration_ms=10**30),
        make_call(model="text", duration_ms="7"),
        make_call(model="good"),
    ]
    spool = Spool(place)
    spool.append(Batch(calls=calls))
    spool.append(Batch(calls=calls[3:]))
    assert [[call.model for call in each.calls] for each in rest(spool)] == [["half ?", "good"], ["good"]]
    assert spool.lost == 4


START = 16
"""Bytes before the first record of a file."""


def record(payload: bytes) -> bytes:
    """One that is whole by its length and its checksum."""
    return struct.pack("<II", len(payload), zlib.crc32(payload)) + payload


POISON = {
    "a list": b"\x90",
    "nothing": b"\xc0",
    "an extension": b"\xd4\x01\x00",
    "a moment that there is not": b"\xc7\x0c\xff" + b"\xff" * 12,
    "deep": b"\x91" * 200_000 + b"\xc0",
    "deep in a call": b"\x81\xa5calls\x91\x81\xa4tags" + b"\x91" * 200_000 + b"\xc0",
    "more than there is": b"\xdd\xff\xff\xff\xff",
    "a key that is a list": b"\x81\x91\x01\x01",
    "half a character": b"\x81\xa5calls\xa2\xff\xfe",
    "a number in the place of calls": b"\x81\xa5calls\xcf" + b"\xff" * 8,
    "a call that is a number": b"\x81\xa5calls\x91\x01",
}


@pytest.mark.parametrize("payload", POISON.values(), ids=POISON)
def test_a_whole_record_of_nonsense_is_set_aside(place: Path, payload: bytes) -> None:
    path = left(place, batch("a"))
    written = path.read_bytes()
    start, own = written[:START], written[START:]
    path.write_bytes(start + record(payload) + own + record(payload))
    [found] = Spool(place).left_behind()
    assert [[call.model for call in each.calls] for each in rest(found)] == [["a"]]
    assert found.lost == 2
    found.close()
    assert [each.name for each in files(place)] == [f"{path.name}.damaged"]


@given(st.binary(max_size=200) | st.binary(max_size=50).map(lambda some: b"\x81\xa5calls\x91" + some))
def test_it_takes_any_bytes(payload: bytes) -> None:
    found, lost = unpack(payload)
    assert lost >= 0
    assert isinstance(found, Batch)
    assert all(call.timestamp >= 0 for call in found.calls)


@given(st.data())
def test_it_takes_a_call_of_which_anything_was_changed(data: st.DataObject) -> None:
    facts = asdict(make_call(tags={"a": "b"}))
    names = data.draw(st.lists(st.sampled_from(sorted(facts)), max_size=3))
    odd = (
        st.none()
        | st.integers(-(2**63), 2**64 - 1)
        | st.floats()
        | st.sampled_from(["", "\0", "日本", [{"x": [1]}]])
    )
    facts |= {name: data.draw(odd) for name in names}
    found, lost = unpack(msgspec.msgpack.encode({"calls": [facts]}))
    assert isinstance(found, Batch)
    assert len(found.calls) + lost == 1
    assert all(0 <= call.timestamp < 2**43 and 0 <= call.duration_ms < 2**43 for call in found.calls)


@pytest.mark.parametrize("change", [{"timestamp": -1}, {"timestamp": 2**60}, {"duration_ms": -5}])
def test_a_call_at_no_time_that_there_is_loses_only_itself(place: Path, change: dict[str, Any]) -> None:
    path = left(place, Batch(calls=[make_call(model="a"), make_call(model="odd", **change)]))
    [found] = Spool(place).left_behind()
    assert [[call.model for call in each.calls] for each in rest(found)] == [["a"]]
    found.close()
    assert [each.name for each in files(place)] == [f"{path.name}.damaged"]


@pytest.mark.parametrize("length", [0xFFFFFFF0, 100 << 20])
def test_a_record_that_claims_much_costs_no_memory(
    place: Path, length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is as long as it says, but has holes: nothing of it is on the disk."""
    path = left(place, batch("a"))
    with path.open("ab") as file:
        file.write(struct.pack("<II", length, 1))
        file.truncate(1 << 33)
    summed, checksum = list[int](), SpoolFile._checksum

    def counting(self: SpoolFile, start: int, size: int) -> int:
        summed.append(size)
        return checksum(self, start, size)

    monkeypatch.setattr(SpoolFile, "_checksum", counting)
    [found] = Spool(place).left_behind()
    tracemalloc.start()
    try:
        assert [each.calls[0].model for each in rest(found)] == ["a"]
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    assert max(summed) <= 1 << 28  # four gigabytes are not even read
    found.close()
    assert [each.name for each in files(place)] == [f"{path.name}.damaged"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such files")
def test_what_is_no_file_of_this_users_is_passed_over_and_said(
    place: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = left(place, batch("a"))
    victim = place.with_name("victim")
    victim.write_bytes(b"precious")
    os.mkfifo(place.with_name(f"{place.name}2-pipe"))
    place.with_name(f"{place.name}3-folder").mkdir()
    place.with_name(f"{place.name}4-hard").hardlink_to(victim)
    place.with_name(f"{place.name}5-writable").write_bytes(path.read_bytes())
    place.with_name(f"{place.name}5-writable").chmod(0o666)
    for _ in range(2):
        [found] = Spool(place).left_behind()
        found.disown()
    assert found.path == path
    assert victim.read_bytes() == b"precious"
    assert [message.rpartition("-")[2] for message in caplog.messages] == [
        "pipe is a named pipe: it is not read.",
        "folder is a folder: it is not read.",
        "hard has a second name, which is a hard link: it is not read.",
        "w mends it): it is not read.",
    ]


def test_it_is_bounded(place: Path) -> None:
    spool = Spool(place, max_bytes=4000)
    while spool.has_room:
        spool.append(batch("a"))
        assert spool.is_half_full == (files(place)[0].stat().st_size >= 2000)
    assert 4000 <= files(place)[0].stat().st_size < 6000
    rest(spool)
    assert spool.has_room


def test_at_its_bound_there_is_no_room(place: Path) -> None:
    spool = Spool(place)
    spool.append(batch("a"))
    assert spool.path is not None
    spool.max_bytes = spool.path.stat().st_size
    assert not spool.has_room
    spool.max_bytes += 1
    assert spool.has_room
    assert len(rest(spool)) == 1


def test_a_write_that_fails_leaves_no_half_of_it(place: Path) -> None:
    code = f"""
import pathlib, resource, signal
from miharu.recorder.spool import Spool
from tests.recorder.spool.test_spool import batch
spool = Spool(pathlib.Path({str(place)!r}))
spool.append(batch("a"))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
limits = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, limits[1]))
try:
    spool.append(batch(*"bcdefghi"))
except OSError:
    print(spool.waiting, spool.path.stat().st_size)
resource.setrlimit(resource.RLIMIT_FSIZE, limits)
"""
    out = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    waiting, size = out.stdout.split()
    assert (waiting, int(size) < 3000) == ("1", True)
    [found] = Spool(place).left_behind()
    assert [each.calls[0].model for each in rest(found)] == ["a"]
    assert not found.is_damaged


def test_there_is_none_for_a_store_in_memory() -> None:
    spool = Spool(place_for(MEMORY))
    assert not spool.has_room
    assert list(spool.left_behind()) == []
    with pytest.raises(OSError, match="in memory"):
        spool.append(batch("a"))


def test_where_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert place_for(resolve_database(tmp_path / "a.db")) == tmp_path / "a.db.spool-"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    places = [place_for(resolve_database(f"postgres://u:{secret}@db/x")) for secret in ("one", "two")]
    assert places[0] == places[1] != place_for(resolve_database("postgres://u@db/y"))
    assert places[0] is not None
    assert places[0].parent == tmp_path / ".miharu"


def test_others_files_are_left_alone(place: Path) -> None:
    place.parent.mkdir()
    target = place.parent / "else"
    target.write_bytes(b"precious")
    place.with_name(f"{place.name}1-link").symlink_to(target)
    (place.parent / "calls.db").write_bytes(b"precious")
    assert list(Spool(place).left_behind()) == []
    assert list(Spool(place.parent / "nowhere" / "x").left_behind()) == []


def test_a_child_that_was_forked_lets_go_of_it(place: Path) -> None:
    """Else the file would look owned as long as the child lives."""
    spool = Spool(place)
    spool.append(batch("a"))
    ready, go = os.pipe(), os.pipe()
    child = os.fork()
    if not child:
        spool.disown()
        os.write(ready[1], b"x")
        os.read(go[0], 1)
        os._exit(0)
    os.read(ready[0], 1)
    assert list(Spool(place).left_behind()) == []
    spool.close()
    assert len(list(Spool(place).left_behind())) == 1
    os.write(go[1], b"x")
    os.waitpid(child, 0)
    for end in (*ready, *go):
        os.close(end)
