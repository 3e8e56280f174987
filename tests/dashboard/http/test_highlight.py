import html
import re

from hypothesis import given
from hypothesis import strategies as st

from miharu.dashboard.http.highlight import highlighted


def test_marks_names_strings_and_numbers() -> None:
    assert str(highlighted('{"a": [1.5, true], "b": "<x>"}')) == (
        '{<span class="k">&#34;a&#34;</span>: [<span class="nn">1.5</span>, <span class="nn">true</span>], '
        '<span class="k">&#34;b&#34;</span>: <span class="s">&#34;&lt;x&gt;&#34;</span>}'
    )


def test_leaves_what_is_no_json_and_what_is_too_long() -> None:
    assert str(highlighted('say "1"')) == "say &#34;1&#34;"
    assert "<span" not in str(highlighted("[" + "1," * 40_000 + "1]"))


@given(
    st.text(max_size=200)
    | st.text(max_size=200).map("{{}}".format)
    | st.text(max_size=99).map('{{"{}": 1'.format)
)
def test_changes_no_character(text: str) -> None:
    shown = str(highlighted(text))
    assert html.unescape(re.sub(r'</?span(?: class="\w+")?>', "", shown)) == text
    assert set(re.findall(r"<[^>]*>", shown)) <= {
        '<span class="k">',
        '<span class="s">',
        '<span class="nn">',
        "</span>",
    }
