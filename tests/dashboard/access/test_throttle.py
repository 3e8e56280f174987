"""How wrong tokens are counted."""

from miharu.dashboard.access.throttle import MOST, WINDOW_S, Guesses


def guessed(guesses: Guesses, address: str, times: int) -> None:
    for number in range(times):
        guesses.note(address, str(number))


def test_ten_different_ones_are_too_many_for_a_while() -> None:
    now = [100.0]
    guesses = Guesses(lambda: now[0])
    guessed(guesses, "a", MOST - 1)
    assert not guesses.too_many("a")
    guesses.note("a", "one more")
    assert guesses.too_many("a")
    assert not guesses.too_many("b")
    now[0] += WINDOW_S
    assert not guesses.too_many("a")
    guesses.note("a", "again")
    assert not guesses.too_many("a")


def test_whoever_has_one_address_of_the_sixth_version_has_many() -> None:
    guesses = Guesses()
    for number in range(MOST):
        guesses.note(f"2001:db8::{number:x}", str(number))
    assert guesses.too_many("2001:db8::ffff:1")
    assert not guesses.too_many("2001:db8:0:1::1")
    guessed(guesses, "::ffff:10.0.0.1", MOST)
    assert not guesses.too_many("::ffff:10.0.0.2")


def test_the_same_one_counts_once() -> None:
    guesses = Guesses()
    for _ in range(100):
        guesses.note("a", "old")
    assert not guesses.too_many("a")


def test_a_crowd_of_addresses_takes_no_more_memory() -> None:
    guesses = Guesses()
    guessed(guesses, "a", MOST)
    for number in range(5000):
        guesses.note(f"10.0.{number // 250}.{number % 250}", "x")
    assert len(guesses._seen) == 1000
    assert not guesses.too_many("a")
