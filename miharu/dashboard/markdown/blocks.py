"""A whole text: paragraphs, headings, lists, quotes, tables, code."""

import re
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING

from miharu.dashboard.markdown.inline import inline
from miharu.dashboard.markdown.table import begins_table, table_of
from miharu.dashboard.markdown.visible import visible

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ("markdown",)

_LONGEST = 60_000
"""Characters; a longer text is shown as it is."""
_BLOCKS = 3_000
"""Of one text; what follows is shown as it is."""
_DEEPEST = 6
"""Lists and quotes inside one another; deeper ones stand beside each other."""
_TOP = 4
"""The level of the first heading: it stands below that of its message."""
_ROWS = 200

_FENCE = re.compile(r"( {0,3}+)(`{3,}+|~{3,}+)([^`\n]{0,200}+)")
_HEADING = re.compile(r" {0,3}+(#{1,6}+)[ \t]++(.*?)[ \t#]*+$")
_ITEM = re.compile(r"( {0,40}+)([-*+]|\d{1,9}+[.)])(?:[ \t]++(.*)|$)")
_QUOTE = re.compile(r" {0,3}+> ?(.*)")
_LINE = re.compile(r" {0,3}+(?:(?:\*[ \t]*+){3,}+|(?:-[ \t]*+){3,}+|(?:_[ \t]*+){3,}+)")
_CHECK = re.compile(r"\[([ xX])\][ \t]++")


def markdown(text: str) -> "Markup":
    """The text as HTML that is safe: what it does not know, and raw HTML, is text."""
    from markupsafe import Markup

    if len(text) > _LONGEST:
        return Markup(f"<p>{visible(escape(text))}</p>")  # noqa: S704 - escaped
    return Markup(visible("".join(_Text(text.replace("\r\n", "\n").split("\n")).pieces)))  # noqa: S704 - each piece is escaped


class _Text:
    """The lines, read once from the first to the last."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.at = 0
        self.pieces: list[str] = []
        self.closing: list[str] = []
        """What the open lists and quotes end with, the innermost last."""
        self.items: list[tuple[int, str]] = []
        """(indent, tag) of the open lists."""
        self.words: list[str] = []
        """The lines of the paragraph that is being read."""
        self.levels: list[int] = []
        self.quotes = 0
        blocks = 0
        while self.at < len(lines):
            blocks += 1
            if blocks > _BLOCKS:
                self._end_paragraph()
                self._leave_lists(0)
                self._leave_quotes(0)
                self.pieces.append(f"<p>{escape(chr(10).join(lines[self.at :]))}</p>")
                break
            self._line(lines[self.at])
            self.at += 1
        self._end_paragraph()
        self._leave_lists(0)
        self._leave_quotes(0)

    def _line(self, line: str) -> None:
        depth, inner = _quoted(line)
        if depth != self.quotes and (inner.strip() or depth):
            self._end_paragraph()
            self._leave_lists(0)
            self._quote(depth)
        line = inner
        if not line.strip():
            self._end_paragraph()
            if self.quotes and not depth:
                self._leave_quotes(0)
            return
        for read in _READERS:
            if read(self, line):
                return
        if self.items and not self.words and not line.startswith(" "):
            self._leave_lists(0)
        self.words.append(line)

    def fence(self, line: str) -> bool:
        found = _FENCE.match(line.lstrip() if self.items else line)
        if found is None or not found[0]:
            return False
        self._end_paragraph()
        if not line.startswith(" "):
            self._leave_lists(0)
        indent, mark = len(line) - len(line.lstrip()), found[2]
        body: list[str] = []
        while self.at + 1 < len(self.lines):
            self.at += 1
            inner = _unquoted(self.lines[self.at], self.quotes)
            if (end := inner.strip()).startswith(mark) and not end.strip(mark[0]):
                break
            body.append(inner[indent:] if not inner[:indent].strip() else inner)
        name = found[3].strip()
        label = f'<span class="md-l">{escape(name)}</span>' if name else ""
        code = escape("\n".join(body))
        self.pieces.append(f'{label}<pre tabindex="0" dir="ltr"><code>{code}</code></pre>')
        return True

    def heading(self, line: str) -> bool:
        found = _HEADING.match(line) if line.lstrip()[:1] == "#" and len(line) < 2_000 else None
        if found is None:
            return False
        self._end_paragraph()
        self._leave_lists(0)
        source = len(found[1])
        while self.levels and self.levels[-1] >= source:
            self.levels.pop()
        self.levels.append(source)
        level = min(_TOP + len(self.levels) - 1, 6)
        self.pieces.append(f'<h{level} dir="auto">{inline(found[2]) or "#"}</h{level}>')
        return True

    def rule(self, line: str) -> bool:
        if len(line) > 200 or not _LINE.fullmatch(line):
            return False
        self._end_paragraph()
        self._leave_lists(0)
        self.pieces.append("<hr>")
        return True

    def item(self, line: str) -> bool:
        found = _ITEM.match(line)
        if found is None or (self.words and not self.items and found[2] not in {"-", "*", "+", "1.", "1)"}):
            return False
        self._end_paragraph()
        indent, tag = len(found[1]), "ul" if found[2] in "-*+" else "ol"
        while self.items and (
            self.items[-1][0] > indent or (self.items[-1][0] == indent and self.items[-1][1] != tag)
        ):
            self._leave_lists(len(self.items) - 1)
        deeper = not self.items or indent > self.items[-1][0] + 1
        if deeper and len(self.items) < _DEEPEST:
            first = f' start="{int(found[2][:-1])}"' if tag == "ol" and found[2][:-1] != "1" else ""
            self.pieces.append(f"<{tag}{first}><li>")
            self.items.append((indent, tag))
            self.closing.append(f"</li></{tag}>")
        else:
            self.pieces.append("</li><li>")
        text = found[3] or ""
        if check := _CHECK.match(text):
            self.pieces.append(
                '<span class="md-c">☐</span> ' if check[1] == " " else '<span class="md-c">☑</span> '
            )
            text = text[check.end() :]
        if text:
            self.words.append(text)
        return True

    def table(self, line: str) -> bool:
        following = self.lines[self.at + 1] if self.at + 1 < len(self.lines) else ""
        if "|" not in line or not begins_table(line, _unquoted(following, self.quotes)):
            return False
        self._end_paragraph()
        if not line.startswith(" "):
            self._leave_lists(0)
        rows, self.at = [line], self.at + 1
        while len(rows) <= _ROWS and self.at + 1 < len(self.lines):
            row = _unquoted(self.lines[self.at + 1], self.quotes)
            if "|" not in row:
                break
            rows.append(row)
            self.at += 1
        self.pieces.append(table_of(rows))
        return True

    def _end_paragraph(self) -> None:
        if self.words:
            text = "\n".join(self.words)
            tag = "div" if self.items else "p"
            self.pieces.append(f'<{tag} class="md-p" dir="auto">{inline(text)}</{tag}>')
            self.words = []

    def _quote(self, depth: int) -> None:
        depth = min(depth, _DEEPEST)
        self._leave_quotes(depth)
        while self.quotes < depth:
            self.pieces.append("<blockquote>")
            self.quotes += 1

    def _leave_quotes(self, depth: int) -> None:
        while self.quotes > depth:
            self.pieces.append("</blockquote>")
            self.quotes -= 1

    def _leave_lists(self, depth: int) -> None:
        while len(self.items) > depth:
            self.pieces.append(self.closing.pop())
            self.items.pop()


_READERS: tuple[Callable[[_Text, str], bool], ...] = (
    _Text.fence,
    _Text.heading,
    _Text.rule,
    _Text.item,
    _Text.table,
)
"""In this order: a fence holds anything, and three dashes are a line before they are an item."""


def _quoted(line: str) -> tuple[int, str]:
    """How deep the line is quoted, and what is."""
    depth = 0
    while depth < _DEEPEST and (found := _QUOTE.fullmatch(line)):
        depth, line = depth + 1, found[1]
    return depth, line


def _unquoted(line: str, depth: int) -> str:
    for _ in range(depth):
        found = _QUOTE.fullmatch(line)
        if found is None:
            break
        line = found[1]
    return line
