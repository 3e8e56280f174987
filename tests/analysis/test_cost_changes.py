"""The reasons add up to the change, to the nano-dollar, whatever the numbers are."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from miharu.analysis.cost_changes import EFFECTS, USUAL, Weights, cost_changes, summed
from miharu.dashboard.panels.bridge import bridge, reasons
from miharu.stores.base import Totals

KEYS = ("a", "b", "c", None)
PRICE = Weights(Fraction(3), Fraction(3, 10), Fraction(15))


@st.composite
def totals(draw: st.DrawFn) -> Totals:
    prompt = draw(st.integers(0, 10**9))
    return Totals(
        calls=draw(st.integers(1, 10**6)),
        cost_nanousd=draw(st.integers(0, 10**15)),
        prompt_tokens=prompt,
        cached_tokens=draw(st.integers(0, prompt + 10)),
        completion_tokens=draw(st.integers(0, 10**8)),
    )


sides = st.dictionaries(st.sampled_from(KEYS), totals(), max_size=4)


def cost(side: dict[str | None, Totals]) -> int:
    return sum(one.cost_nanousd for one in side.values())


@given(sides, sides, st.sampled_from([{}, {"a": PRICE}]))
def test_adds_up_exactly(
    before: dict[str | None, Totals], after: dict[str | None, Totals], weights: dict[str | None, Weights]
) -> None:
    found = cost_changes(before, after, weights)
    assert {move.key for move in found} == before.keys() | after.keys()
    for move in found:
        assert sum(move.effects.values()) == move.change
    whole = summed(found)
    assert sum(whole.values()) == cost(after) - cost(before)
    way = bridge(cost(before), cost(after), whole)
    assert way[0].nanousd + sum(step.nanousd for step in way[1:-1]) == way[-1].nanousd
    assert all(0 <= step.left <= step.left + step.width <= 100.5 for step in way)


def of(calls: int, prompt: int, completion: int, price: int = 1, cached: int = 0) -> Totals:
    """So many calls alike, at so many nano-dollars a prompt token and four times that for the answer."""
    paid = (prompt - cached) * price + cached * price // 10 + completion * price * 4
    return Totals(
        calls=calls,
        prompt_tokens=calls * prompt,
        completion_tokens=calls * completion,
        cached_tokens=calls * cached,
        cost_nanousd=calls * paid,
    )


def effects(before: Totals, after: Totals) -> dict[str, int]:
    [move] = cost_changes({"m": before}, {"m": after}, {})
    return {name: nano for name, nano in move.effects.items() if nano}


def test_calls_more_of_the_same_volume() -> None:
    assert effects(of(10, 1000, 100), of(15, 1000, 100)) == {"volume": 5 * 1400}


def test_tells_longer_prompts_from_longer_answers() -> None:
    assert effects(of(10, 1000, 100), of(10, 1500, 100)) == {"prompts": 5000}
    assert effects(of(10, 1000, 100), of(10, 1000, 50)) == {"answers": -2000}


def test_tells_what_came_from_caches() -> None:
    assert effects(of(10, 1000, 100), of(10, 1000, 100, cached=500)) == {"cache": -4500}


def test_leaves_the_price_to_what_nothing_else_explains() -> None:
    assert effects(of(10, 1000, 100), of(10, 1000, 100, price=2)) == {"price": 14_000}


def test_calls_a_shift_between_models_the_mix() -> None:
    cheap, dear = of(50, 1000, 100), of(50, 1000, 100, price=10)
    found = cost_changes(
        {"cheap": cheap, "dear": dear}, {"cheap": of(90, 1000, 100), "dear": of(10, 1000, 100, price=10)}, {}
    )
    whole = summed(found)
    assert {name for name, nano in whole.items() if nano} == {"mix"}
    assert whole["mix"] == 40 * 1400 - 40 * 14_000


def test_calls_a_new_model_mix_and_the_first_calls_of_all_volume() -> None:
    [new] = cost_changes({}, {"m": of(3, 10, 1)}, {})
    assert {name for name, nano in new.effects.items() if nano} == {"volume"}
    by_key = {move.key: move for move in cost_changes({"old": of(3, 10, 1)}, {"new": of(3, 10, 1)}, {})}
    assert reasons(by_key["new"])[0].words == "new"
    assert reasons(by_key["old"])[0].words == "no longer used"


def test_weighs_by_the_price_list() -> None:
    """An answer that costs five times a prompt moves five times the money."""
    [move] = cost_changes({"m": of(1, 1000, 0)}, {"m": of(1, 1000, 100)}, {"m": PRICE})
    assert move.effects["answers"] == 500
    assert USUAL.output == 4


def test_names_the_largest_reasons_first_and_leaves_trifles_out() -> None:
    [move] = cost_changes({"m": of(10, 1000, 100)}, {"m": of(12, 1500, 101)}, {})
    said = reasons(move)
    assert [reason.words for reason in said] == ["longer prompts", "more calls"]
    assert reasons(cost_changes({"m": of(1, 1, 1)}, {"m": of(1, 1, 1)}, {})[0]) == []
    assert len(EFFECTS) == 6
