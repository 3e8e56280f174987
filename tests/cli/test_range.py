import argparse

import pytest

from miharu.cli._range import moment_ms, moment_words

NOW = 1_790_000_000_000


@pytest.mark.parametrize(
    ("text", "ms", "words"),
    [
        ("90d", NOW - 90 * 86_400_000, "2026-06-23 14:13 UTC"),
        ("30m", NOW - 1_800_000, "2026-09-21 13:43 UTC"),
        ("2026-11-30", 1_795_996_800_000, "2026-11-30 00:00 UTC"),
        ("2026-11-30T08:00", 1_796_025_600_000, "2026-11-30 08:00 UTC"),
        ("2026-11-30T08:00+01:00", 1_796_022_000_000, "2026-11-30 07:00 UTC"),
    ],
)
def test_a_moment_is_so_long_ago_or_a_date(text: str, ms: int, words: str) -> None:
    assert moment_ms(text, NOW) == ms
    assert moment_words(ms) == words


@pytest.mark.parametrize("text", ["", "yesterday", "0d", "90", "2026-13-01", "-1d"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not a moment"):
        moment_ms(text, NOW)
