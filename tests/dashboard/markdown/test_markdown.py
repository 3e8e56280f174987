"""What models wrote becomes structure and text; nothing of it becomes markup of its own."""

import re
import time
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miharu.dashboard.markdown import markdown, shown

ALLOWED = {
    *("p", "div", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "code", "em", "strong", "s", "hr"),
    *("table", "thead", "tbody", "tr", "th", "td", "span"),
}
ATTRIBUTES = {
    ("class", "md-p"),
    ("class", "md-a"),
    ("class", "md-u"),
    ("class", "md-i"),
    ("class", "md-l"),
    ("class", "md-c"),
    ("class", "md-t"),
    ("class", "ctl"),
    ("dir", "auto"),
    ("dir", "ltr"),
    ("tabindex", "0"),
    ("role", "group"),
    ("aria-label", "Table"),
    ("scope", "col"),
}
VOID = {"hr"}
XSS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg/onload=alert(1)>',
    "<iframe src='javascript:alert(1)'>",
    "[a](javascript:alert(1))",
    '[a](JaVaScRiPt:alert(1) "t" onclick=alert(1))',
    "[a](data:text/html;base64,PHNjcmlwdD4=)",
    '![a](x" onerror="alert(1))',
    "![a](https://evil.example/p.png)",
    "<https://evil.example>",
    "[a]: https://evil.example\n[a]",
    "`</code><script>alert(1)</script>`",
    '```"><script>alert(1)</script>\n</code></pre><script>alert(2)</script>\n```',
    "| <b onmouseover=alert(1)> |\n|---|\n| `<script>` |",
    "# <h1 onclick=alert(1)>",
    "- <style>*{display:none}</style>",
    "> <base href=//evil.example>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#x3C;script&#x3E;",
    "**<b style=position:fixed>**",
    "<a href='&#106;avascript:alert(1)'>x</a>",
    "\x00<scr\x00ipt>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    "${alert(1)}{{7*7}}{% raw %}",
)
MARKS = st.lists(
    st.sampled_from(
        [
            "*",
            "**",
            "_",
            "~~",
            "`",
            "```",
            "[",
            "](",
            ")",
            "!",
            "|",
            "-",
            "#",
            ">",
            "\n",
            " ",
            "    ",
            "1. ",
            "- ",
            "a",
            "b c",
            "\\",
            "<",
            "&",
            '"',
            "é",
            "\u202e",
            "\x1b",
            "|-|",
        ]
    )
    | st.sampled_from(XSS),
    max_size=60,
).map("".join)


class Html(HTMLParser):
    """Fails on what is not allowed, and on what is not closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.text: list[str] = []
        self.tags: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ALLOWED, tag
        for name, value in attrs:
            assert (name, value) in ATTRIBUTES or (name == "start" and str(value).isdecimal()), (name, value)
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)

    def handle_pi(self, data: str) -> None:
        raise AssertionError(data)


def html(text: str) -> str:
    made = str(markdown(text))
    Html(made)
    return made


def letters(text: str) -> list[str]:
    return re.findall(r"[a-zA-Zé]", text)


@pytest.mark.parametrize("text", XSS)
def test_nothing_runs_and_nothing_is_loaded(text: str) -> None:
    assert not set(Html(html(text)).tags) - ALLOWED


@given(MARKS)
def test_any_text_becomes_markup_that_is_whole(text: str) -> None:
    html(text)


@given(st.text(max_size=300))
def test_any_characters_do(text: str) -> None:
    html(text)


@given(
    st.lists(
        st.sampled_from(["*", "_", "`", "[", "]", "(", ")", "#", ">", "-", "|", "\n", " ", "a", "b", "x1"]),
        max_size=50,
    ).map("".join)
)
def test_no_letter_is_lost(text: str) -> None:
    found = letters("".join(Html(html(text)).text))
    expected = letters(text)
    assert sorted(found) == sorted(expected)


def test_the_structure_of_an_answer() -> None:
    text = (
        "# One\n\nHello **you** and *them*, a_b_c `x*y`.\n\n- a\n- b\n  - c\n1. d\n\n"
        "| k | v |\n|---|--:|\n| a\\|b | 2 |\n\n> so\n\n---\n\n```py\nif a < b:\n```\n"
    )
    made = html(text)
    assert '<h4 dir="auto">One</h4>' in made
    assert "<strong>you</strong> and <em>them</em>, a_b_c <code>x*y</code>." in made
    assert Html(made).tags.count("ul") == 2
    assert "<ol><li>" in made
    assert '<th scope="col">k</th>' in made
    assert "<td>a|b</td>" in made
    assert "<blockquote><p" in made
    assert "<hr>" in made
    assert '<span class="md-l">py</span><pre tabindex="0" dir="ltr"><code>if a &lt; b:</code></pre>' in made


def test_an_address_is_text() -> None:
    made = html("See [the manual](https://example.com/a_b_(c)) and ![a cat](https://example.com/cat.png).")
    assert (
        '<span class="md-a">the manual</span> <span class="md-u">https://example.com/a_b_(c)</span>' in made
    )
    assert '<span class="md-i">image</span> <span class="md-a">a cat</span>' in made


def test_headings_follow_one_another_without_a_gap() -> None:
    made = html("# a\n\n#### b\n\n###### c\n\n## d")
    assert re.findall(r"<h(\d)", made) == ["4", "5", "6", "5"]


def test_lines_stay_lines() -> None:
    assert "one\ntwo" in html("one\ntwo")


def test_what_hides_is_seen() -> None:
    made = str(markdown("a\u202egnp.exe\u202c \x1b[31mred\x1b[0m \U000e0049\U000e0067 z\u200dj"))
    assert '<span class="ctl">U+202E</span>gnp.exe<span class="ctl">U+202C</span>' in made
    assert '<span class="ctl">ESC</span>[31mred' in made
    assert '<span class="ctl">hidden: Ig</span>' in made
    assert "z\u200dj" in made
    assert '<span class="ctl">U+202E</span>' in shown("\u202e")


@pytest.mark.parametrize(
    "text",
    [
        *(mark * (1 << 20) for mark in "*[>`_~#|-\\!(<&"),
        "> " * 500_000,
        "[a](" * 250_000,
        "*a " * 300_000,
        "a\u202e" * 500_000,
        "- x\n" * 250_000,
        "\n".join(" " * (i % 40) + "- x" for i in range(60_000)),
        "```\n" * 250_000,
        "|a|\n|-|\n" * 120_000,
        "![" * 500_000,
        "***a" * 250_000,
    ],
    ids=lambda text: f"{text[:6]!r}",
)
@pytest.mark.parametrize("size", [59_000, 1 << 20])
def test_a_megabyte_of_marks_is_bounded(text: str, size: int) -> None:
    text = text[:size]
    start = time.process_time()
    made = str(markdown(text))
    assert time.process_time() - start < 1.0
    assert len(made) < 8 * len(text) + 100_000
    Html(made)


def test_a_row_that_ends_in_a_backslash_is_read_once() -> None:
    text = "|a|b|\n|-|-|\n|" + "x" * 20_000 + "\\"
    before = time.process_time()
    html = str(markdown(text))
    assert time.process_time() - before < 1  # the regular expression holds the interpreter's lock meanwhile
    assert f"<td>{'x' * 20_000}\\</td><td></td>" in html


def test_short_rows_make_no_long_page() -> None:
    text = ("|" * 30 + "\n" + "|-" * 29 + "|\n" + "|\n" * 200) * 20
    html = str(markdown(text))
    assert "<table>" in html
    assert len(html) < 30 * len(text)
    assert '<td></td><td colspan="27"></td>' in str(markdown("|" * 30 + "\n" + "|-" * 29 + "|\n|\n"))
