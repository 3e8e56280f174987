"""What differs between two texts, or two sequences: lines first, then the words of the lines that changed.

The algorithm is Myers' (An O(ND) Difference Algorithm and Its Variations, 1986): its work grows with how
much differs, not with the product of the lengths. What a page may spend on it is an ``Effort``; where that is
used up, what is left counts as changed whole, and the result says so.
"""

import re
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

__all__ = ("Change", "Effort", "Run", "TextChange", "changes", "text_change")

Run = Literal["same", "gone", "new"]
_STEPS = 250_000
"""About a tenth of a second."""
_MOST_EDITS = 500
"""Differences in one comparison: the way back is kept, which costs the square of them in memory."""
_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
_WORD = re.compile(r"\w+|[^\w\s]")
_LONGEST = 100_000
"""Characters of one text; of a longer one it is only said whether it is the same."""
_MOST_WORDS = 6_000
"""Of both sides of one run of changed lines."""
_FEW = 2
"""Words that two texts share by chance: between two changes they are a part of the change."""
_AMID = 8
"""How many words and spaces around each of them make it such a chance."""


@dataclass(slots=True)
class Effort:
    """How much may still be spent on comparing."""

    steps: int = _STEPS
    used_up: bool = False

    def spend(self, steps: int) -> bool:
        """Whether there was so much left."""
        if self.steps < steps:
            self.used_up = True
            return False
        self.steps -= steps
        return True


@dataclass(frozen=True, slots=True)
class Change:
    """A run of items that are the same, only in the first, or only in the second."""

    kind: Run
    first: tuple[int, int]
    second: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextChange:
    """Two texts, each in pieces that are either the same or not."""

    first: Sequence[tuple[str, bool]]
    """(text, whether it is only in this one)."""
    second: Sequence[tuple[str, bool]]
    changed: float
    """The share of the words that are only in one of them, from 0 to 1."""
    lines: int
    """How many lines changed, of the text in which more did."""
    roughly: bool = field(default=False)
    """Too much differs to be compared word by word everywhere."""


def changes(first: Sequence[Hashable], second: Sequence[Hashable], effort: Effort) -> list[Change]:
    """The runs, in order; together they are both sequences whole."""
    head = _common(first, second)
    tail = _common(first[head:][::-1], second[head:][::-1])
    middle = _middle(first[head : len(first) - tail], second[head : len(second) - tail], effort)
    runs = [("same", head, head), *middle, ("same", tail, tail)]
    return list(_placed(_joined(runs)))


def text_change(first: str, second: str, effort: Effort) -> TextChange:
    """What differs between the texts, white space aside."""
    if first == second or max(len(first), len(second)) > _LONGEST:
        differs = first != second
        effort.used_up |= differs
        return TextChange(
            first=[(first, differs)] if first else [],
            second=[(second, differs)] if second else [],
            changed=float(differs),
            lines=max(first.count("\n"), second.count("\n")) + 1 if differs else 0,
            roughly=differs,
        )
    if _WORD.findall(first) == _WORD.findall(second):  # a line that was moved by white space alone, too
        return TextChange(
            first=_merged([(first, False)]), second=_merged([(second, False)]), changed=0.0, lines=0
        )
    lines = first.splitlines(keepends=True), second.splitlines(keepends=True)
    keys = [[" ".join(line.split()) for line in side] for side in lines]
    effort_before = effort.used_up
    effort.used_up = False
    sides: tuple[list[tuple[str, bool]], list[tuple[str, bool]]] = ([], [])
    changed = 0
    runs = changes(keys[0], keys[1], effort)
    at = 0
    while at < len(runs):
        run = runs[at]
        texts = ["".join(lines[0][slice(*run.first)]), "".join(lines[1][slice(*run.second)])]
        if run.kind == "same":
            _add(sides, texts, is_new=False)
        else:
            if at + 1 < len(runs) and runs[at + 1].kind != "same":  # gone, and something new in its place
                at += 1
                texts = [
                    texts[0] or "".join(lines[0][slice(*runs[at].first)]),
                    texts[1] or "".join(lines[1][slice(*runs[at].second)]),
                ]
            changed += max(text.count("\n") + (not text.endswith("\n")) for text in texts if text)
            _words(sides, texts, effort)
        at += 1
    roughly, effort.used_up = effort.used_up, effort_before or effort.used_up
    return TextChange(
        first=_merged(sides[0]),
        second=_merged(sides[1]),
        changed=_share(sides),
        lines=changed,
        roughly=roughly,
    )


def _words(
    sides: tuple[list[tuple[str, bool]], list[tuple[str, bool]]], texts: Sequence[str], effort: Effort
) -> None:
    """The words of changed lines."""
    if not all(texts):
        return _add(sides, texts, is_new=True)
    words = [_TOKEN.findall(text) for text in texts]
    if sum(map(len, words)) > _MOST_WORDS or not effort.spend(sum(map(len, words))):
        effort.used_up = True
        return _add(sides, texts, is_new=True)
    keys = [[" " if word.isspace() else word for word in side] for side in words]
    runs = changes(keys[0], keys[1], effort)
    for few in (0, _FEW):  # without the spaces in between first: else each word stands alone
        runs = _settled(runs, words[0], few)
    for run in runs:
        parts = ["".join(words[0][slice(*run.first)]), "".join(words[1][slice(*run.second)])]
        _add(sides, parts, is_new=run.kind != "same")
    return None


def _settled(runs: Sequence[Change], words: Sequence[str], few: int) -> list[Change]:
    """The runs without islands: so few words that stay the same amid many that do not."""
    found: list[tuple[str, int, int]] = []
    for place, run in enumerate(runs):
        first, second = run.first[1] - run.first[0], run.second[1] - run.second[0]
        if run.kind == "same" and 0 < place < len(runs) - 1:
            kept = sum(not word.isspace() for word in words[slice(*run.first)])
            around = (*runs[max(0, place - 2) : place], *runs[place + 1 : place + 3])
            length = sum(
                one.first[1] - one.first[0] + one.second[1] - one.second[0]
                for one in around
                if one.kind != "same"
            )
            if kept <= few and length > _AMID * kept:
                found += [("gone", first, 0), ("new", 0, second)]
                continue
        found.append((run.kind, first, second))
    return list(_placed(_joined(found)))


def _middle(
    first: Sequence[Hashable], second: Sequence[Hashable], effort: Effort
) -> list[tuple[Run, int, int]]:
    """(kind, how many of the first, of the second), by Myers."""
    n, m = len(first), len(second)
    whole: list[tuple[Run, int, int]] = [("gone", n, 0), ("new", 0, m)]
    if not n or not m or set(first).isdisjoint(second):
        return whole
    most = min(n + m, _MOST_EDITS)
    reach = [0] * (2 * most + 3)
    trace: list[list[int]] = []
    for edits in range(most + 1):
        if not effort.spend(edits + 1):
            return whole
        trace.append(reach[most - edits : most + edits + 3])
        for k in range(-edits, edits + 1, 2):
            place = k + most + 1
            down = k == -edits or (k != edits and reach[place - 1] < reach[place + 1])
            x = begin = reach[place + 1] if down else reach[place - 1] + 1
            while x < n and x - k < m and first[x] == second[x - k]:
                x += 1
            if x > begin and not effort.spend((x - begin) // 4):
                return whole
            reach[place] = x
            if x >= n and x - k >= m:
                return _back(trace, n, m)
    effort.used_up = True
    return whole


def _back(trace: Sequence[Sequence[int]], n: int, m: int) -> list[tuple[Run, int, int]]:
    """The way that led to the end, from its beginning."""
    runs: list[tuple[Run, int, int]] = []
    x, y = n, m
    for edits in range(len(trace) - 1, -1, -1):
        reach, middle = trace[edits], edits + 1
        k = x - y
        down = k == -edits or (k != edits and reach[middle + k - 1] < reach[middle + k + 1])
        before = k + 1 if down else k - 1
        px = reach[middle + before] if edits else 0
        py = px - before if edits else 0
        snake = min(x - px, y - py) if edits else x
        if edits:
            sx = px if down else px + 1
            snake = x - sx
        runs.append(("same", snake, snake))
        if edits:
            runs.append(("new", 0, 1) if down else ("gone", 1, 0))
        x, y = px, py
    return runs[::-1]


def _joined(runs: Sequence[tuple[str, int, int]]) -> Iterator[tuple[str, int, int]]:
    """Between two stretches that are the same: all that is gone, then all that is new."""
    gone = new = same = 0
    for kind, first, second in runs:
        if kind == "same" and first:
            if gone or new:
                if same:
                    yield "same", same, same
                yield "gone", gone, 0
                yield "new", 0, new
                gone = new = same = 0
            same += first
        gone += first if kind == "gone" else 0
        new += second if kind == "new" else 0
    if same:
        yield "same", same, same
    yield "gone", gone, 0
    yield "new", 0, new


def _placed(runs: Iterator[tuple[str, int, int]]) -> Iterator[Change]:
    x = y = 0
    for kind, first, second in runs:
        if first or second:
            yield Change(kind, (x, x + first), (y, y + second))  # type: ignore[arg-type] # one of Run
        x, y = x + first, y + second


def _common(first: Sequence[Hashable], second: Sequence[Hashable]) -> int:
    """How many they begin with alike."""
    number = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        number += 1
    return number


def _add(
    sides: tuple[list[tuple[str, bool]], list[tuple[str, bool]]], texts: Sequence[str], *, is_new: bool
) -> None:
    for side, text in zip(sides, texts, strict=True):
        if text:
            side.append((text, is_new))


def _merged(pieces: Sequence[tuple[str, bool]]) -> list[tuple[str, bool]]:
    """Neighbours of one kind as one piece; a mark neither begins nor ends with white space."""
    joined: list[tuple[list[str], bool]] = []
    for text, is_new in pieces:
        if joined and joined[-1][1] == is_new:
            joined[-1][0].append(text)
        else:
            joined.append(([text], is_new))
    found: list[tuple[str, bool]] = []
    for texts, is_new in joined:
        text = "".join(texts)
        bare = text.strip()
        if not is_new or not bare:
            found.append((text, False))
            continue
        start = text.index(bare)
        found += [(text[:start], False), (bare, True), (text[start + len(bare) :], False)]
    return [(text, is_new) for text, is_new in found if text]


def _share(sides: Sequence[Sequence[tuple[str, bool]]]) -> float:
    counts = [
        (sum(not one.isspace() for one in _TOKEN.findall(text)), is_new)
        for side in sides
        for text, is_new in side
    ]
    words = sum(number for number, _ in counts)
    return sum(number for number, is_new in counts if is_new) / words if words else 0.0
