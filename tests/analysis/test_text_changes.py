"""What differs between two texts: right for any two, and bounded for those that were made to hurt."""

import re
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miharu.analysis.text_changes import Change, Effort, changes, text_change

WORDS = st.lists(st.sampled_from("abc"), max_size=14)
TEXTS = st.lists(st.sampled_from(["a", "b", "word", " ", "  ", "\n", ".", "é", "語"]), max_size=60).map(
    "".join
)


def marked(pieces: object) -> str:
    return "".join(f"[{text}]" if is_new else text for text, is_new in pieces)  # type: ignore[attr-defined]


def total(runs: list[Change]) -> int:
    return sum(
        (run.first[1] - run.first[0]) + (run.second[1] - run.second[0]) for run in runs if run.kind != "same"
    )


@given(WORDS, WORDS)
def test_the_runs_are_both_sequences_whole(first: list[str], second: list[str]) -> None:
    x = y = 0
    for run in changes(first, second, Effort()):
        assert (run.first[0], run.second[0]) == (x, y)
        x, y = run.first[1], run.second[1]
        if run.kind == "same":
            assert first[slice(*run.first)] == second[slice(*run.second)] != []
        else:
            assert (run.first[0] == run.first[1]) == (run.kind == "new")
            assert (run.second[0] == run.second[1]) == (run.kind == "gone")
    assert (x, y) == (len(first), len(second))


@given(WORDS, WORDS)
def test_no_shorter_way_leads_from_one_to_the_other(first: list[str], second: list[str]) -> None:
    common = [[0] * (len(second) + 1) for _ in range(len(first) + 1)]
    for i, one in enumerate(first, 1):
        for j, other in enumerate(second, 1):
            common[i][j] = (
                common[i - 1][j - 1] + 1 if one == other else max(common[i - 1][j], common[i][j - 1])
            )
    assert total(changes(first, second, Effort())) == len(first) + len(second) - 2 * common[-1][-1]


@given(TEXTS, TEXTS)
def test_no_character_is_lost(first: str, second: str) -> None:
    change = text_change(first, second, Effort())
    assert "".join(text for text, _ in change.first) == first
    assert "".join(text for text, _ in change.second) == second
    assert 0 <= change.changed <= 1
    words = [re.findall(r"\w+|[^\w\s]", text) for text in (first, second)]
    assert (change.changed == 0) == (words[0] == words[1])


def test_marks_the_words_and_not_the_lines() -> None:
    change = text_change(
        "You are an agent. Keep replies short.\nBye.", "You are an agent. Answer at length.\nBye.", Effort()
    )
    assert marked(change.first) == "You are an agent. [Keep replies short].\nBye."
    assert marked(change.second) == "You are an agent. [Answer at length].\nBye."
    assert (change.lines, change.roughly) == (1, False)


def test_a_word_that_both_have_by_chance_is_no_island() -> None:
    first = "Please write to the shop with your order number and a photograph"
    second = "I could not finish this refund for order myself so a colleague helps"
    change = text_change(first, second, Effort())
    assert sum(is_new for _, is_new in change.first) == sum(is_new for _, is_new in change.second) == 1


def test_white_space_is_no_difference() -> None:
    change = text_change("one  two\nthree", "one two\nthree ", Effort())
    assert not any(is_new for _, is_new in (*change.first, *change.second))
    assert change.changed == change.lines == 0


HURTING = {
    "the same, but for the end": lambda n: ("line of text\n" * n, "line of text\n" * n + "end"),
    "nothing in common": lambda n: ("a b\n" * n, "c d\n" * n),
    "two letters": lambda n: ("a\nb\n" * n, "b\na\n" * n),
    "one line of two words": lambda n: ("a b " * n, "b a " * n),
    "every second line": lambda n: (
        "".join(f"{i}\n" for i in range(n)),
        "".join(f"{i}\n{i % 7}\n" for i in range(n)),
    ),
    "shuffled": lambda n: (
        "".join(f"{i * 7919 % 997}\n" for i in range(n)),
        "".join(f"{i * 104729 % 997}\n" for i in range(n)),
    ),
    "no end of line": lambda n: ("x" * n, "y" * n),
    "white space": lambda n: (" " * n, "\t" * n),
    "punctuation": lambda n: (".,;" * n, ",;." * n),
}


@pytest.mark.parametrize("size", [6_000, 400_000])
@pytest.mark.parametrize("name", HURTING)
def test_texts_that_were_made_to_hurt_are_bounded(name: str, size: int) -> None:
    make: Callable[[int], tuple[str, str]] = HURTING[name]
    first, second = make(size)
    effort = Effort()
    start = time.process_time()
    change = text_change(first, second, effort)
    assert time.process_time() - start < 1.5  # a tenth of it on a machine that has nothing else to do
    assert "".join(text for text, _ in change.first) == first
    assert "".join(text for text, _ in change.second) == second
    assert effort.steps >= 0


def test_effort_is_shared_and_what_is_left_counts_as_changed() -> None:
    effort = Effort(steps=40)
    change = text_change("a b c d e f g h " * 3, "h g f e d c b a " * 3, effort)
    assert change.roughly
    assert effort.used_up
    assert marked(change.first).startswith("[a b c")
    assert text_change("x y\n", "x z\n", effort).changed > 0


def test_edits_are_bounded_whatever_the_effort() -> None:
    """The way back is kept in memory, so it is the square of them."""
    numbers, effort = list(range(3_000)), Effort(steps=10**9)
    runs = changes(numbers, numbers[::-1], effort)
    assert effort.used_up
    assert [run.kind for run in runs] == ["gone", "new"]
