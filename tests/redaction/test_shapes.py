import pytest
from hypothesis import given
from hypothesis import strategies as st

from miharu.redaction.shapes import _BEGINNINGS, is_suspicious

WORDS = [begin.decode() for begin in _BEGINNINGS]


@pytest.mark.parametrize("word", WORDS)
def test_each_beginning_of_a_key_is_found(word: str) -> None:
    assert is_suspicious(word)
    assert is_suspicious(f"x {word}y")
    assert is_suspicious(f"{word[:2]}{word}")


@given(st.lists(st.sampled_from([*WORDS, *(word[:-1] for word in WORDS), *"asxgKA.-_ "]), max_size=12))
def test_nothing_else_is_found(parts: list[str]) -> None:
    text = "".join(parts)
    assert is_suspicious(text) == any(word in text for word in WORDS)
