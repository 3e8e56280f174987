"""What a session may hold, and for how long."""

import gc
import sys
import tracemalloc
from collections.abc import Callable, Iterator

import pytest

from miharu.exchange import Exchange
from miharu.holding import HOLDING
from miharu.interceptor import Interceptor, handoff
from miharu.interceptor.sockets.call import MOST_ASKED, SessionExchange
from miharu.interceptor.sockets.session import MOST_KNOWN, MOST_OPEN, Session
from miharu.interceptor.sockets.websockets import MOST_PARTS, _Frames
from miharu.providers.turns import GEMINI_LIVE, OPENAI_REALTIME

from .talk import create, created, delta, done, said, session


@pytest.fixture(autouse=True)
def installed(exchanges: list[Exchange]) -> Iterator[None]:
    def take(exchange: Exchange) -> None:
        exchange.let_go()
        exchanges.append(exchange)

    HOLDING.start_over()
    it = Interceptor(take, [])
    it.install()
    yield
    it.uninstall()


def test_a_long_session_holds_no_more_than_a_short_one() -> None:
    letting_go = Interceptor(Exchange.let_go, [])
    it = session(OPENAI_REALTIME)
    it.received(said("session.created", session={"id": "sess_1", "model": "gpt-realtime"}))

    def talk(turns: int) -> int:
        for number in range(turns):
            name = f"resp_{number}"
            it.sent(said("input_audio_buffer.append", audio="A" * 5000))
            it.received(said("input_audio_buffer.speech_stopped"))
            it.received(created(name))
            for _ in range(30):
                it.received(delta(name))
            it.received(said("conversation.item.added", item={"id": name}))
            it.received(done(name))
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    letting_go.install()
    tracemalloc.start()
    try:
        talk(20)
        before = talk(20)
        assert talk(500) - before < 20_000
    finally:
        tracemalloc.stop()
        letting_go.uninstall()
    assert HOLDING.used == 0


def test_calls_that_never_end_are_no_more_than_so_many(exchanges: list[Exchange]) -> None:
    it = session(OPENAI_REALTIME)
    for number in range(3 * MOST_OPEN):
        it.received(created(f"resp_{number}"))
    for _ in range(3 * MOST_OPEN):
        it.sent(create())
    assert len(handoff.running()) == 2 * MOST_OPEN
    assert {exchange.end for exchange in exchanges} == {"dropped"}
    it.ended(None, None)
    assert len(exchanges) == 6 * MOST_OPEN
    assert HOLDING.used == 0


def test_a_large_message_of_the_session_is_not_kept(exchanges: list[Exchange]) -> None:
    it = session(OPENAI_REALTIME)
    it.received(said("session.updated", session={"instructions": "A" * MOST_KNOWN}))
    it.received(done("resp_1"))
    assert sum(map(len, exchanges[0].chunks)) == 0  # it was let go of
    assert it._known == []


def test_a_message_in_endless_pieces_is_let_go_of() -> None:
    frames = _Frames(session(OPENAI_REALTIME))
    piece = bytes(1 << 20)
    frames.frame(1, piece, fin=False, sent=False)
    for _ in range((MOST_PARTS >> 20) + 4):
        frames.frame(0, piece, fin=False, sent=False)
    assert frames._parts == {}
    frames.frame(0, b"", fin=True, sent=False)


def test_a_message_in_tiny_pieces_costs_and_holds_no_more_than_in_one() -> None:
    """A sum over the earlier pieces with each one would take minutes here."""
    frames = _Frames(session(OPENAI_REALTIME))
    frames.frame(1, b"x", fin=False, sent=False)
    pieces = 200_000
    tracemalloc.start()
    try:
        for _ in range(pieces):
            frames.frame(0, b"x", fin=False, sent=False)
        assert tracemalloc.get_traced_memory()[0] < 2 * pieces
    finally:
        tracemalloc.stop()
    assert len(frames._parts[False]) == pieces + 1


def test_of_a_large_request_only_the_ends_are_held_while_it_is_under_way(exchanges: list[Exchange]) -> None:
    it = session(OPENAI_REALTIME)
    for size in (1000, MOST_ASKED + 1):
        it.sent(said("response.create", response={"instructions": "A" * size}))
    small, large = (exchange for exchange in handoff.running() if isinstance(exchange, SessionExchange))
    if small.shed:
        small, large = large, small
    assert (small.gap, small.shed) == (None, False)
    assert len(small.asked or b"") > 1000
    assert large.shed
    assert large.gap is not None
    assert len(large.asked or b"") < 10_000
    assert (large.asked or b"").startswith(b'{"type":"response.create"')
    it.ended(None, None)


def test_nobody_records_so_nothing_is_held(exchanges: list[Exchange]) -> None:
    it = session(OPENAI_REALTIME)
    handoff.hand_to(None)
    it.sent(create())
    it.received(created("resp_1"))
    assert not handoff.running()
    assert not exchanges


def _instructions(look: Callable[[], None]) -> int:
    """How many bytecodes of Python it takes."""
    count = 0

    def trace(frame, event, argument):  # type: ignore[no-untyped-def]
        nonlocal count
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return trace

    sys.settrace(trace)
    try:
        look()
    finally:
        sys.settrace(None)
    return count


@pytest.mark.parametrize(("turns", "most"), [(OPENAI_REALTIME, 200), (GEMINI_LIVE, 420)])
def test_sound_costs_little_and_the_same_however_long_it_is(turns, most: int) -> None:  # type: ignore[no-untyped-def]
    it: Session = session(turns)
    for size in (5_000, 500_000):
        if turns is GEMINI_LIVE:
            heard = (
                b'{"serverContent":{"modelTurn":{"parts":[{"inlineData":{"data":"' + b"A" * size + b'"}}]}}}'
            )
        else:
            it.received(created("resp_1"))
            heard = delta("resp_1", size)
        it.received(heard)
        assert _instructions(lambda message=heard: it.received(message)) <= most  # type: ignore[misc]
        spoken = said("input_audio_buffer.append", audio="A" * size)
        assert _instructions(lambda message=spoken: it.sent(message)) <= most  # type: ignore[misc]
