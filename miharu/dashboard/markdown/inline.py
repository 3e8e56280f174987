"""Within a line: emphasis, code, links. One pass, and at most one opener of each kind at a time."""

import re
from collections import defaultdict
from collections.abc import Sequence
from html import escape

__all__ = ("inline",)

_TOKEN = re.compile(r"\\[!-/:-@\[-`{-~]|`+|\*+|_+|~~|!?\[")
_LINK = re.compile(
    r"!?\[([^\[\]\n]{0,400}+)\]\([ ]{0,3}+<?((?:[^\s()<>]|\([^\s()<>]{0,100}+\)){0,800}+)>?"
    r"(?:[ ]{1,3}+(?:\"[^\"\n]{0,200}+\"|'[^'\n]{0,200}+'))?[ ]{0,3}+\)"
)
_TAGS = {"*": "em", "_": "em", "**": "strong", "__": "strong", "~~": "s"}
_LONGEST_RUN = 3


def inline(text: str) -> str:
    """The text as HTML; every character of it is escaped, and what is no markup stays as it is."""
    return _Line(text).html()


class _Line:
    def __init__(self, text: str) -> None:
        self.text = text
        self.pieces: list[str] = []
        self.open: list[tuple[str, int]] = []
        """(marker, its place among the pieces) of what may be closed yet, the innermost last."""
        self.ticks = _runs(text)

    def html(self) -> str:
        at = 0
        while found := _TOKEN.search(self.text, at):
            self._say(self.text[at : found.start()])
            at = self._token(found[0], found.start(), found.end())
        self._say(self.text[at:])
        return "".join(self.pieces)

    def _say(self, text: str) -> None:
        if text:
            self.pieces.append(escape(text))

    def _token(self, token: str, start: int, end: int) -> int:
        """Write what begins here, and say where it ends."""
        if token[0] == "\\":
            self._say(token[1])
        elif token[0] == "`":
            return self._code(token, start, end)
        elif token[-1] == "[":
            return self._link(token, start, end)
        else:
            self._emphasis(token, start, end)
        return end

    def _code(self, token: str, start: int, end: int) -> int:
        places = self.ticks[len(token)]
        while places and places[-1] <= start:  # in reverse: the next one is the last
            places.pop()
        if not places:
            self._say(token)
            return end
        inner = self.text[end : places[-1]]
        if inner[:1] == inner[-1:] == " " and inner.strip():
            inner = inner[1:-1]
        self.pieces.append(f"<code>{escape(inner)}</code>")
        return places[-1] + len(token)

    def _link(self, token: str, start: int, end: int) -> int:
        found = _LINK.match(self.text, start)
        if found is None:
            self._say(token)
            return end
        words, address = found[1], found[2]
        kind = '<span class="md-i">image</span> ' if token[0] == "!" else ""
        shown = f'<span class="md-a">{escape(words)}</span> ' if words and words != address else ""
        self.pieces.append(f'{kind}{shown}<span class="md-u">{escape(address)}</span>')
        return found.end()

    def _emphasis(self, run: str, start: int, end: int) -> None:
        before, after = self.text[start - 1 : start], self.text[end : end + 1]
        opens, closes = bool(after.strip()), bool(before.strip())
        if run[0] == "_":  # not within a_name_like_this
            opens, closes = opens and not before.isalnum(), closes and not after.isalnum()
        if run[0] != "~" and len(run) > _LONGEST_RUN:
            opens = closes = False
        left = run
        while left and closes and (marker := self._closed(left)):
            left = left[len(marker) :]
        while left and opens and (marker := self._opened(left)):
            left = left[len(marker) :]
        self._say(left)

    def _closed(self, run: str) -> str | None:
        """Close the innermost that the run can close; what was opened inside and not closed is text."""
        for place in range(len(self.open) - 1, -1, -1):
            marker, piece = self.open[place]
            if run.startswith(marker):
                self.pieces[piece] = f"<{_TAGS[marker]}>"
                self.pieces.append(f"</{_TAGS[marker]}>")
                del self.open[place:]
                return marker
        return None

    def _opened(self, run: str) -> str | None:
        for marker in (run[:2], run[:1]):
            if marker in _TAGS and all(marker != one for one, _ in self.open):
                self.open.append((marker, len(self.pieces)))
                self.pieces.append(marker)
                return marker
        return None


def _runs(text: str) -> "defaultdict[int, list[int]]":
    """Where runs of backticks stand, by their length, the first one last."""
    places: defaultdict[int, list[int]] = defaultdict(list)
    found: Sequence[re.Match[str]] = list(re.finditer("`+", text))
    for one in reversed(found):
        places[len(one[0])].append(one.start())
    return places
