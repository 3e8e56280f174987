"""JSON as a tree: every number, name and text as it was sent, and a bounded page."""

import html
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miharu.dashboard.markdown import Tree, Trees
from miharu.wire.indented import MARK

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)
TAGS = re.compile(r"<(/?)([a-z]+)[^<>]*>")
NUMBERS = '{"a": 12345678901234567890123, "b": 1.10, "c": 1e400, "d": -0, "e": 0.1e-7}'


def drawn(text: str, source: str = "", **more: Any) -> Tree:
    found = Trees().of(text, source, **more)
    assert found is not None
    return found


def words(tree: Tree) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", str(tree.html).replace("<br>", "")))


def is_balanced(markup: str) -> bool:
    opened: list[str] = []
    for closes, name in TAGS.findall(markup):
        if name in {"br", "input"}:
            continue
        if not closes:
            opened.append(name)
        elif not opened or opened.pop() != name:
            return False
    return not opened


def test_numbers_stand_as_they_were_written() -> None:
    tree = drawn(NUMBERS)
    for number in ("12345678901234567890123", "1.10", "1e400", "-0", "0.1e-7"):
        assert f'<span class="nn">{number}</span>' in tree.html


def test_a_name_that_stands_twice_is_there_twice() -> None:
    tree = drawn('{"to": "ann", "to": "bob", "in": [{"x": 1, "x": 2}]}')
    assert words(tree).count('"to": ') == 2
    assert '"ann"' in words(tree)
    assert words(tree).count('"x": ') == 2


def test_the_copy_is_the_text_byte_for_byte() -> None:
    source = '{ "a" :\t1.10,\r\n "b": "\\u6771 <b> & \\ud800", "b": "\u202etxt" }'
    tree = drawn('{\n  "a": 1.1\n}', source)
    assert html.unescape(str(tree.original)) == source
    assert "<b>" not in str(tree.original)
    assert "\r" not in str(tree.original)  # a browser would make another line end of it
    assert '"東' in words(tree)
    assert 'class="ctl">U+202E' in tree.html


@given(JSON)
def test_any_value_is_drawn_whole_and_balanced(value: Any) -> None:
    text = json.dumps([value, {"v": value}])
    tree = drawn(text)
    assert is_balanced(str(tree.html))
    assert html.unescape(str(tree.original)) == text


@given(st.text(alphabet='{}[]",:\\u09 a<\u202e\n', max_size=80), st.booleans())
def test_anything_else_is_none_or_safe(text: str, is_cut: bool) -> None:
    tree = Trees().of(f"[{text}", is_cut=is_cut)
    if tree is not None:
        assert is_balanced(str(tree.html))
        assert "\u202e" not in tree.html


@pytest.mark.parametrize(
    "text", ["", "hello", '"text"', "12", "[]", "{}", "{no json}", "[1] as in the book", "[" * 40]
)
def test_what_is_no_object_and_no_list_is_none(text: str) -> None:
    assert Trees().of(text) is None


def test_a_text_whose_end_is_missing_is_drawn_as_far_as_it_goes() -> None:
    text = json.dumps([{"id": number, "name": "x" * 30} for number in range(900)])
    tree = drawn(text[:1_000] + MARK)
    assert tree.original is None
    assert words(tree).count('"id": ') == 19
    assert drawn(text[:1_000], is_cut=True).original is None
    assert drawn(text[:1_000] + MARK, text).original is not None


def test_json_in_a_text_is_a_tree_of_its_own() -> None:
    inner = json.dumps({"hits": [{"id": 1}], "more": json.dumps([1.5])})
    source = json.dumps({"content": inner, "odd": "{no json}", "empty": "{}"})
    tree = drawn(source)
    assert words(tree).count('"hits": ') == 1
    assert '<span class="k">"content"</span>: <span class="s">"</span> <span class="jt-p">' in tree.html
    assert '<span class="nn">1.5</span>' in tree.html
    assert '"{no json}"' in words(tree)
    assert html.unescape(str(tree.original)) == source


def test_lines_of_a_text_are_lines() -> None:
    tree = drawn(json.dumps({"code": 'if a:\n\tprint("\\n")\n'}))
    assert tree.html.count("<i>\\n</i><br>") == 2
    assert '"if a:\\n\\tprint(\\"\\\\n\\")\\n"' in words(tree)


def test_a_small_tree_is_open_and_a_large_one_is_not() -> None:
    assert drawn('{"a": {"b": {"c": [1, 2]}}}').html.count("<details open>") == 4
    many = drawn(json.dumps([{"id": number, "of": [1, 2]} for number in range(60)]))
    assert many.html.count("<details>") == 60
    assert many.html.count("<details open>") == 61  # its root, and within each what there is to see at once
    long = drawn(json.dumps({"text": "y" * 3_000}))
    assert "3,000 characters" in long.html
    assert "y" * 3_000 in long.html


def test_what_is_deep_or_far_on_is_text() -> None:
    deep = drawn('{"a":' * 40 + "1.10" + "}" * 40)
    assert deep.html.count("<details") == 12
    assert "1.10" in words(deep)
    wide = drawn(json.dumps([*range(1_000)]))
    assert "800 more:" in words(wide)
    assert "999" in words(wide)
    named = drawn(json.dumps({f"n{number}": 1 for number in range(300)})[:-1] + ', "n299": 1.10}')
    assert words(named).count('"n299"') == 2


def test_all_trees_of_a_page_have_one_bound() -> None:
    trees = Trees()
    text = json.dumps([{"a": 1, "b": [2, 3]} for _ in range(150)])
    found = [trees.of(text) for _ in range(40)]
    drawn_ = [one for one in found if one is not None]
    assert 0 < len(drawn_) < 10
    assert len({one.id for one in drawn_}) == len(drawn_)
    assert sum(len(one.html) for one in drawn_) < 600_000
    lines = Trees()
    assert sum(len(one.html) for _ in range(20) if (one := lines.of(json.dumps(["\n" * 15_000])))) < 800_000
