"""Real programs and a real server: what happens to either costs no call, and makes none a second one."""

import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from miharu.testing import FakeProvider
from tests.remote.world import TOKEN, Front, Program, Taker, models

Start = Callable[..., Program]


@pytest.fixture
def provider() -> Iterator[str]:
    with FakeProvider() as fake:
        yield fake.url


@pytest.fixture
def taker(tmp_path: Path) -> Iterator[Taker]:
    taker = Taker(tmp_path)
    yield taker
    taker.end()


@pytest.fixture
def start(provider: str, tmp_path: Path) -> Iterator[Start]:
    programs: list[Program] = []

    def started(**environ: str) -> Program:
        programs.append(Program(provider, tmp_path / "program", **environ))
        return programs[-1]

    yield started
    for program in programs:
        program.kill()


def make(program: Program, *names: str) -> None:
    """One call for each name, and for each of the numbers behind it."""
    for name in names:
        assert program("calls", 1, name)["done"] == "calls"


def ends_with_all_stored(program: Program) -> None:
    assert program("flush", 60)["flushed"], program.logs
    said = program("shutdown", 60)
    assert said["stopped"]
    assert said["stats"]["dropped"] == 0
    assert program.end() == 0


def test_calls_arrive_and_are_priced_where_they_are_kept(taker: Taker, start: Start) -> None:
    program = start()
    program("init", taker.start().url)
    make(program, "gpt-4o-mini", "gpt-4o")
    ends_with_all_stored(program)
    assert models(taker.database) == ["gpt-4o-mini", "gpt-4o"]
    with closing(sqlite3.connect(taker.database)) as connection:
        costs = connection.execute("SELECT cost_nanousd, cost_source FROM llm_calls").fetchall()
    assert all(cost > 0 and source.startswith("genai-prices") for cost, source in costs)
    assert program.logs == []


def test_a_server_that_is_killed_and_comes_back_has_every_call_once(taker: Taker, start: Start) -> None:
    program = start()
    program("init", taker.start().url)
    make(program, *(f"before-{n}" for n in range(5)))
    assert program("flush", 60)["flushed"]
    taker.end(signal.SIGKILL)
    make(program, *(f"meanwhile-{n}" for n in range(20)))
    assert not program("flush", 0.5)["flushed"]
    taker.start()
    make(program, *(f"after-{n}" for n in range(5)))
    ends_with_all_stored(program)
    wanted = [
        f"{when}-{n}" for when, some in (("before", 5), ("meanwhile", 20), ("after", 5)) for n in range(some)
    ]
    assert sorted(models(taker.database)) == sorted(wanted)
    assert any("cannot be reached" in line and TOKEN not in line for line in program.logs)
    assert "miharu: recording again." in program.logs


def test_a_server_that_is_away_at_the_start_has_every_call_later(taker: Taker, start: Start) -> None:
    program = start()
    program("init", taker.url)
    make(program, *(f"early-{n}" for n in range(10)))
    taker.start()
    ends_with_all_stored(program)
    assert sorted(models(taker.database)) == sorted(f"early-{n}" for n in range(10))


def test_a_program_without_a_disk_keeps_its_calls_in_memory_meanwhile(taker: Taker, start: Start) -> None:
    nowhere = {"cwd": "/proc", "HOME": "/proc", "XDG_STATE_HOME": "/proc"}  # nothing can be made there
    program = start(**nowhere)
    program("init", taker.url)
    make(program, *(f"early-{n}" for n in range(10)))
    figures = program("flush", 0.2)["stats"]
    assert (figures["spooled"], figures["queue_depth"], figures["dropped"]) == (0, 10, 0)
    taker.start()
    ends_with_all_stored(program)
    assert sorted(models(taker.database)) == sorted(f"early-{n}" for n in range(10))


def test_a_program_that_is_killed_leaves_its_calls_to_the_next(taker: Taker, start: Start) -> None:
    first = start()
    first("init", taker.url)
    make(first, *(f"left-{n}" for n in range(10)))
    while first("flush", 0.1)["stats"]["spooled"] < 10:
        pass
    first.kill()
    taker.start()
    second = start()
    second("init", taker.url)
    make(second, "new")
    ends_with_all_stored(second)
    assert sorted(models(taker.database)) == sorted(["new", *(f"left-{n}" for n in range(10))])


def test_a_slow_server_holds_up_no_call(taker: Taker, start: Start) -> None:
    taker.start()
    with Front(taker.port).serving() as front:
        front.open.clear()
        program = start()
        program("init", front.url)
        make(program, *(f"held-{n}" for n in range(20)))  # each comes back although nothing is answered
        assert front.seen == []
        front.open.set()
        ends_with_all_stored(program)
    assert sorted(models(taker.database)) == sorted(f"held-{n}" for n in range(20))


def test_an_answer_that_is_lost_makes_no_call_a_second_one(taker: Taker, start: Start) -> None:
    taker.start()
    with Front(taker.port).serving() as front:
        program = start()
        program("init", front.url)
        make(program, "first")
        assert program("flush", 60)["flushed"]
        front.loses = 2
        make(program, "second", "third")
        ends_with_all_stored(program)
        assert front.loses == 0
    assert models(taker.database) == ["first", "second", "third"]


def test_a_batch_that_a_proxy_finds_too_large_goes_in_pieces(taker: Taker, start: Start) -> None:
    program = start()
    program("init", taker.url)
    make(program, *(f"piece-{n}" for n in range(30)))  # they wait, and so go together
    taker.start()
    with Front(taker.port).serving() as front:
        front.largest = 1500
        front.open.clear()
        other = start(MIHARU_CAPTURE_CONTENT="1")
        other("init", front.url)
        make(other, *(f"piece-{n}" for n in range(30, 60)))
        front.open.set()
        ends_with_all_stored(other)
        assert 413 in front.seen
    ends_with_all_stored(program)
    assert sorted(models(taker.database)) == sorted(f"piece-{n}" for n in range(60))


def test_calls_wait_for_the_right_token(taker: Taker, start: Start) -> None:
    taker.start()
    wrong = start()
    wrong("init", taker.url.replace(TOKEN, "not-the-token-of-it"))
    make(wrong, "one", "two")
    assert not wrong("flush", 1)["flushed"]
    assert any("does not accept the token" in line for line in wrong.logs)
    assert not any("not-the-token" in line for line in wrong.logs)
    assert not wrong("shutdown", 5)["stopped"]
    wrong.end()
    right = start()
    right("init", taker.url)
    make(right, "three")
    ends_with_all_stored(right)
    assert sorted(models(taker.database)) == ["one", "three", "two"]
