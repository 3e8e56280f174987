"""The words of a text, and where they stand in it."""

import pytest

from miharu.stores.words import BREAK, MOST_SIGNS, MOST_WORDS, phrases, places_of, spoken, words_of

TEXT = "A Refund for Crème brûlée, 我要退款失败。 Straße, REFUNDED; שָׁלוֹם e\u0301te\u0301"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Refund, please!", ["refund", "please"]),
        ("Crème BRÛLÉE e\u0301", ["creme", "brulee", "e"]),
        ("Straße ﬁn", ["strasse", "fin"]),
        ("退款失败", ["退款", "款失", "失败", "败"]),
        ("a退b", ["a", "退", "b"]),
        ("がか\u3099", ["がが", "が"]),
        ("한국 어", ["한국", "국", "어"]),
        ("שָׁלוֹם كِتَاب", ["שלום", "كتاب"]),
        ("हिन्दी", ["हिन्दी"]),
        ("snake_case 12.90 a\x00b \ud800c", ["snake", "case", "12", "90", "a", "b", "c"]),
        ("x" * 100, ["x" * 64]),
        ("… *** \n", []),
        ('" OR * NEAR(', ["or", "near"]),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert list(words_of(text)) == words
    assert all(word.isascii() <= word.isalnum() and " " not in word for word in words)


@pytest.mark.parametrize(
    ("asked", "marked"),
    [
        ("refund", ["Refund"]),
        ("refund*", ["Refund", "REFUNDED"]),
        ("creme brulee", ["Crème brûlée"]),
        ("退款", ["退款"]),
        ("退", ["退"]),
        ("款失败", ["款失败"]),
        ("brulee 我要", ["brûlée, 我要"]),
        ("strasse", ["Straße"]),
        ("שלום", ["שָׁלוֹם"]),
        ("ete", ["e\u0301te\u0301"]),
        ("fund", []),
        ("brulee creme", []),
    ],
)
def test_places(asked: str, marked: list[str]) -> None:
    assert [TEXT[start:end] for start, end in places_of(TEXT, phrases([asked]) or [])] == marked


def test_places_that_touch_are_one() -> None:
    assert places_of("refund refund", phrases(["refund", "refund refund"]) or []) == [(0, 13)]


def test_nothing_has_what_has_no_word() -> None:
    assert phrases(["refund", "***"]) is None
    assert phrases([""]) is None
    assert phrases([]) == []


def test_a_call_keeps_so_many_words_of_what_came_last() -> None:
    many = " ".join(f"w{number}" for number in range(MOST_WORDS))
    found = spoken([("assistant", "last"), ("user", many), ("user", "first")])
    assert found.assistant == "last"
    assert len(found.user.split()) == MOST_WORDS - 1
    assert "first" not in found.user
    long = spoken([("user", "x " * 10 + " " * MOST_SIGNS), ("user", "first")])
    assert "first" not in long.user


def test_no_phrase_goes_across_two_texts() -> None:
    assert spoken([("user", "a b"), ("user", "c")]).user == f"a b {BREAK} c"
