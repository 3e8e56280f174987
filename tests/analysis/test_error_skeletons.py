import pytest
from hypothesis import given
from hypothesis import strategies as st

from miharu.analysis.error_skeletons import skeleton


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (
            "Rate limit for gpt-4o-mini in org-AbC123dEf456 on tokens per min: Limit 30000, Used 29,512.",
            "Rate limit for gpt-4o-mini in ID on tokens per min: Limit N, Used N.",
        ),
        ("Try again in 2.1s. Visit https://x.example/y.", "Try again in Ns. Visit URL"),
        ("prompt is too long: 210034 tokens > 200000 maximum", "prompt is too long: N tokens > N maximum"),
        ("Unsupported parameter: 'max_tokens'", "Unsupported parameter: 'max_tokens'"),
        ("claude-sonnet-5-5 is gone (req_011CTabcdef12345)", "claude-sonnet-5-5 is gone (ID)"),
        ("claude-haiku-4-5-20251001 at 2026-11-24T10:00:00Z", "claude-haiku-4-5-20251001 at TIME"),
        ("see 550e8400-e29b-41d4-a716-446655440000\n\n now", "see ID now"),
        (None, ""),
    ],
)
def test_takes_numbers_and_ids_out_and_leaves_names(message: str | None, shown: str) -> None:
    assert skeleton(message) == shown


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_is_the_same_for_other_numbers(one: int, other: int) -> None:
    text = "Limit {}, used {:,} of it; try again in {}s"
    assert skeleton(text.format(one, one, one)) == skeleton(text.format(other, other, other))


@given(st.text(max_size=5000))
def test_is_short_whatever_was_said(message: str) -> None:
    assert len(skeleton(message)) <= 400
