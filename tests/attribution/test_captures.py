"""Which captures a call is delivered to, by when it began."""

from collections.abc import Iterator

import pytest

from miharu.attribution import captures
from miharu.attribution.captures import Capturing
from miharu.call import Call
from miharu.testing.store_contract import make_call


class Taken(list[Call]):
    def take(self, started: int, call: Call) -> None:
        self.append(call)


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run of pytest has a capture of its own."""
    monkeypatch.setattr(captures, "_open", ())
    monkeypatch.setattr(captures, "_noted", {})


@pytest.fixture
def taken(alone: None) -> Iterator[tuple[Capturing, Taken]]:
    """A capture from the moment 5 on."""
    calls = Taken()
    capturing = Capturing(calls)
    captures.start(capturing, 5)
    yield capturing, calls
    captures.end(capturing)


@pytest.mark.parametrize(("started", "is_in_it"), [(4, False), (5, True), (9, True), (10, False)])
def test_it_gets_what_began_while_its_block_lasted(
    taken: tuple[Capturing, Taken], started: int, is_in_it: bool
) -> None:
    capturing, calls = taken
    capturing.until = 9
    call = make_call()
    captures.note(call, capturing, started)
    captures.deliver([call])
    assert calls == [call] * is_in_it


def test_a_call_that_is_lost_on_the_way_is_forgotten_with_the_last_capture() -> None:
    one, other = Capturing(Taken()), Capturing(Taken())
    captures.start(one, 5)
    captures.start(other, 5)
    captures.note(make_call(), one, 6)
    captures.end(other)
    assert captures._noted
    captures.end(one)
    assert not captures._noted
