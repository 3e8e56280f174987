from datetime import timedelta

import pytest

from miharu.config.lengths import length_ms


@pytest.mark.parametrize(
    ("given", "ms"),
    [
        ("90s", 90_000),
        (" 30M ", 1_800_000),
        ("24h", 86_400_000),
        ("30d", 2_592_000_000),
        ("2w", 1_209_600_000),
        (30, 2_592_000_000),
        (timedelta(minutes=1, microseconds=7), 60_000),
    ],
)
def test_a_length_is_read(given: object, ms: int) -> None:
    assert length_ms(given) == ms


@pytest.mark.parametrize(
    "given",
    [
        "",
        "d",
        "0d",
        "-1d",
        "1.5d",
        "1y",
        "1234567d",
        "\u0661d",
        0,
        -1,
        10**12,
        True,
        1.5,
        timedelta(0),
        None,
        [],
    ],
)
def test_nonsense_is_none(given: object) -> None:
    with pytest.raises(ValueError, match="is not a length of time"):
        length_ms(given)
