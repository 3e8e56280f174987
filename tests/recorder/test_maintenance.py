import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from miharu.batch import Batch
from miharu.call import Body
from miharu.errors import StoreError
from miharu.recorder.maintenance import AGAIN_S, LOOK_S, PRUNE_LATE_S, PRUNE_S, Maintenance, Retention
from miharu.recorder.spool import Spool
from miharu.testing.store_contract import NOON, make_call
from tests.recorder.world import Bench

DAY = 86_400_000


@dataclass
class Home:
    """A pipeline, its maintenance and a clock that a test moves."""

    bench: Bench
    time: float = 1000.0
    pieces: int = 0
    """How often ``roll_up`` has more to do."""
    rolled_up: list[float] = field(default_factory=list)
    fails: Exception | None = None
    written: int = 0

    def __post_init__(self) -> None:
        self.bench.writer.roll_up = self.roll_up  # type: ignore[method-assign]
        self.maintenance = self.keep()

    def keep(self, **ms: int) -> Maintenance:
        self.maintenance = Maintenance(
            self.bench.pipeline, Retention(**ms), clock=lambda: self.time, now=lambda: NOON / 1000
        )
        return self.maintenance

    def roll_up(self) -> bool:
        self.rolled_up.append(self.time)
        if self.fails:
            raise self.fails
        self.pieces -= 1
        return self.pieces >= 0

    def step(self, *, idle: bool = True, after: float = 0.0) -> bool:
        self.time += after
        return self.maintenance.step(written=self.written, idle=idle)

    def all(self) -> None:
        while self.step():
            pass


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    bench = Bench(tmp_path)
    bench.open()
    yield Home(bench)
    bench.pipeline.close()


def test_what_can_wait_is_done_when_idle_until_nothing_is_left(home: Home) -> None:
    home.pieces = 3
    home.all()
    assert len(home.rolled_up) == 4
    home.step(after=100)
    assert len(home.rolled_up) == 4


def test_it_is_done_about_once_a_second_while_calls_keep_coming(home: Home) -> None:
    home.pieces = 10**6
    for _ in range(50):
        home.written += 1
        assert not home.step(idle=False, after=0.1)
    assert 4 <= len(home.rolled_up) <= 6


def test_nothing_is_done_for_those_who_only_read(home: Home) -> None:
    home.maintenance = Maintenance(home.bench.pipeline, None)
    assert not home.step()
    assert not home.rolled_up


def test_a_store_that_refuses_is_said_once_and_asked_later(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    home.fails = StoreError("It is locked.")
    for _ in range(10):
        home.written += 1
        assert not home.step(after=AGAIN_S / 2)
    assert 4 <= len(home.rolled_up) <= 5
    assert [record.message for record in caplog.records] == [
        "miharu: It is locked. What can wait is put off; no call is lost."
    ]


def test_a_failure_stops_nothing_else(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MIHARU_UNGUARDED")
    home.fails = RuntimeError("a bug")
    assert not home.step()
    home.fails = None
    home.written += 1
    home.step(after=AGAIN_S + 1)
    assert len(home.rolled_up) == 2


def leave(home: Home, *models: str) -> Path:
    """What a process leaves that has died."""
    spool = Spool(home.bench.spool.place)
    for model in models:
        spool.append(Batch(calls=[make_call(model=model)]))
    path = spool.path
    assert path is not None
    spool.close()
    return path


def test_what_others_have_left_is_stored(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    leave(home, "a", "b")
    leave(home, "c")
    home.all()
    assert sorted(home.bench.models) == ["a", "b", "c"]
    assert not home.bench.spools
    assert home.bench.counters.written == 0
    assert "stored 2 calls that another process had left" in caplog.text
    leave(home, "d")
    home.all()
    assert "stored 1 call that another process had left" in caplog.text
    assert home.bench.spools
    home.time += LOOK_S
    home.all()
    assert not home.bench.spools
    leave(home, "e")
    home.maintenance.look_again()
    home.all()
    assert not home.bench.spools


def test_one_call_of_them_that_cannot_be_stored_is_passed_over(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MIHARU_UNGUARDED")
    spool = Spool(home.bench.spool.place)
    spool.append(Batch(calls=[make_call(model=model) for model in ("a", "odd", "b")]))
    spool.close()
    home.bench.writer.breaks = "odd"
    home.all()
    assert home.bench.models == ["a", "b"]
    assert not home.bench.spools


def test_what_could_not_be_stored_stays_where_it_is(home: Home) -> None:
    path = leave(home, "a", "b")
    home.bench.writer.refuses = True
    home.all()
    assert home.bench.spools == [path]
    home.bench.writer.refuses = False
    home.step(after=AGAIN_S + LOOK_S)
    home.maintenance.close()  # in the middle, as a stop would
    assert home.bench.spools == [path]
    home.keep()
    home.all()
    assert sorted(home.bench.models) == ["a", "b"]
    assert not home.bench.spools


def test_damage_is_said(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    path = leave(home, "a", "b")
    path.write_bytes(path.read_bytes()[:-3])
    home.all()
    assert home.bench.models == ["a"]
    assert f"{path} is damaged" in caplog.text


def remember(home: Home, days: int, calls: int) -> None:
    body = Body(request=b"a", response=b"b")
    batch = [make_call(timestamp=NOON - days * DAY + i, model=f"{days}d", body=body) for i in range(calls)]
    home.bench.writer.add(Batch(calls=batch))


def left(home: Home) -> list[tuple[str, bool]]:
    found = []
    for model in dict.fromkeys(home.bench.models):
        _id = home.bench.id_of(model)
        call = home.bench.questions("call", _id)
        assert call is not None
        found.append((model, call.body is not None))
    return found


def test_old_content_and_old_calls_are_forgotten_a_little_at_a_time(home: Home) -> None:
    remember(home, 100, 1)
    remember(home, 40, 1)
    remember(home, 1, 1)
    home.keep(calls_ms=90 * DAY, content_ms=30 * DAY)
    home.all()
    assert len(left(home)) == 3
    for _ in range(6):
        home.step(after=1.01)
    assert left(home) == [("40d", False), ("1d", True)]
    remember(home, 200, 1)
    for _ in range(5):
        home.step(after=1.01)
    assert len(left(home)) == 3
    home.time += PRUNE_S
    for _ in range(5):
        home.step(after=1.01)
    assert left(home) == [("40d", False), ("1d", True)]


def test_content_is_forgotten_again_an_hour_later(home: Home) -> None:
    home.keep(content_ms=30 * DAY)
    home.all()
    for days in (40, 50):
        remember(home, days, 1)
        for _ in range(5):
            home.step(after=1.01)
        home.time += PRUNE_S
    assert sorted(left(home)) == [("40d", False), ("50d", False)]


def test_a_step_forgets_at_most_a_thousand(home: Home) -> None:
    remember(home, 100, 2500)
    home.keep(calls_ms=90 * DAY)
    home.all()
    sizes = []
    for _ in range(5):
        home.step(after=1.01)
        sizes.append(len(home.bench.models))
    assert sizes[:3] == [1500, 500, 0]


def test_nothing_is_forgotten_while_others_wait(home: Home) -> None:
    remember(home, 100, 1)
    home.keep(calls_ms=90 * DAY)
    home.all()
    for _ in range(5):
        home.step(idle=False, after=10)
    assert home.bench.models == ["100d"]


def test_others_that_always_wait_hold_it_up_for_a_minute(home: Home) -> None:
    home.keep(calls_ms=90 * DAY)
    home.all()
    for since_the_last in (0, PRUNE_S):
        home.time += since_the_last
        remember(home, 100, 2500)
        home.step(idle=False, after=PRUNE_LATE_S - 1)
        assert len(home.bench.models) == 2500
        for _ in range(4):
            home.step(idle=False, after=2)
        assert home.bench.models == []


def test_for_ever_is_for_ever(home: Home) -> None:
    remember(home, 10_000, 1)
    for _ in range(5):
        home.step(after=10)
    assert left(home) == [("10000d", True)]


def test_a_store_that_forgets_by_itself_is_told_once_how_long(home: Home) -> None:
    told: list[tuple[int | None, int | None]] = []
    home.bench.writer.keep_for = lambda *ms: told.append(ms)  # type: ignore[attr-defined]
    home.bench.writer.prune = None  # type: ignore[assignment,method-assign] # it is not asked to
    home.keep(calls_ms=90 * DAY, content_ms=30 * DAY)
    home.all()
    for _ in range(3):
        home.step(after=PRUNE_S + 1)
    assert told == [(90 * DAY, 30 * DAY)]
    assert home.maintenance.due(written=home.written) is None
