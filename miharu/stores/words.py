"""What was said, as the words that are searched for: one way of reading them for all engines.

An engine is given nothing but letters, digits and spaces, so no punctuation of a text or of a question is
ever read as its syntax. Words are folded: capitals, accents, the points of Hebrew and Arabic, and the widths
of letters make no difference. Where a script has no spaces, each pair of neighbouring signs is a word, so
that any part of a text is found.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Literal, get_args

from miharu.call import Call

__all__ = (
    "BREAK",
    "FOUND",
    "MOST_SIGNS",
    "MOST_WORDS",
    "ROLES",
    "Phrase",
    "Role",
    "Spoken",
    "TextsOf",
    "phrases",
    "places_of",
    "spoken",
    "spoken_in",
    "words_of",
)

Role = Literal["system", "user", "assistant", "tool"]
ROLES: tuple[Role, ...] = get_args(Role)
TextsOf = Callable[[Call], Iterable[tuple[Role, str]]]
"""The texts of a call with its body: what came last in it comes first."""
MOST_WORDS = 4_000
"""Words of a call that are kept: PostgreSQL knows no more than 256 places of a word in a text."""
MOST_SIGNS = 32_000
"""Characters of a call that are read for them."""
FOUND = 10_000
"""How many of the newest calls that have the words a store must look through for those that meet the other
conditions, or for a sum."""
LONGEST_WORD = 64
"""Characters; what is longer is read as its beginning."""
BREAK = "\ue000"
"""Stands between two texts, so that no phrase is found across them."""

# Han, kana, Hangul, and scripts of South East Asia that have no spaces
_UNSPACED = (
    "\u0e00-\u0e7f\u0e80-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
)
_INDIC = "\u0900-\u0963\u0966-\u0dff"
"""With their vowel signs, which are no letters to a regular expression."""
_WORD = re.compile(rf"[{_UNSPACED}]+|(?:[^\W_{_UNSPACED}]|[{_INDIC}])+")
_BEFORE_WORD, _BEHIND_WORD, _ANY_ENDING = r"(?<![^\W_])", r"(?![^\W_])", r"[^\W_]*"
_SOUND_MARKS = 9
"""Marks up to this combining class make another sign of one, as the dots of kana do; above are accents."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that stand side by side; of the last one, the beginning may be enough."""

    words: tuple[str, ...]
    begins: bool = False
    runs: tuple[str, ...] = ()
    """The same as they are written: where a script has no spaces, not in pairs."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """The words of a call, by who said them; between two texts stands ``BREAK``."""

    system: str = ""
    user: str = ""
    assistant: str = ""
    tool: str = ""

    def of(self, role: Role) -> str:
        return str(getattr(self, role))

    def __bool__(self) -> bool:
        return any(self.of(role) for role in ROLES)


def words_of(text: str) -> Iterator[str]:
    """The words of a text, in order."""
    folded = _folded(text)
    if _UNSPACED_ONE.search(folded) is None:
        return (word[:LONGEST_WORD] for word in _WORD.findall(folded))
    return (word for run in _WORD.findall(folded) for word in _signs(run))


def phrases(asked: Iterable[str]) -> list[Phrase] | None:
    """What is searched for; ``None`` where a part of it has neither letter nor digit: nothing has that.

    A star at the end of a word stands for any ending.
    """
    found = []
    for each in asked:
        text = each.strip()
        runs = [match[0] for match in _WORD.finditer(_folded(text))]
        if not runs:
            return None
        words = [word for run in runs for word in _signs(run)]
        begins = text.endswith("*") and not _is_unspaced(runs[-1])
        if _is_unspaced(runs[-1]):
            # the last sign of a run is a word of its own only where nothing follows it
            begins = len(runs[-1]) == 1
            words = words if begins else words[:-1]
        found.append(Phrase(tuple(words), begins, tuple(runs)))
    return found


def spoken_in(call: Call, texts: TextsOf) -> Spoken:
    """The words of a call with its body; none where it cannot be read, so that others do not wait for it."""
    try:
        return spoken(texts(call))
    except Exception:  # noqa: BLE001 - these bytes are not trusted
        return Spoken()


def spoken(texts: Iterable[tuple[Role, str]]) -> Spoken:
    """The words of a call, of its first texts as many as are kept."""
    held: dict[Role, list[str]] = {role: [] for role in ROLES}
    words_left, signs_left = MOST_WORDS, MOST_SIGNS
    for role, text in texts:
        if words_left <= 0 or signs_left <= 0:
            break
        words = list(islice(words_of(text[:signs_left]), words_left))
        signs_left -= len(text)
        if words:
            words_left -= len(words)
            held[role].append(" ".join(words))
    return Spoken(*(f" {BREAK} ".join(held[role]) for role in ROLES))


def places_of(text: str, sought: Iterable[Phrase]) -> list[tuple[int, int]]:
    """Where the phrases stand in a text: from which character to which, none within another."""
    folded = _folded(text)
    found = [match.span() for phrase in sought for match in _pattern(phrase).finditer(folded)]
    if not found:
        return []
    alike = len(folded) == len(text) and all(_folded(text[a:b]) == folded[a:b] for a, b in found)
    if not alike:
        origin = _origins(text)
        found = [(origin[start], origin[end]) for start, end in found]
    return _apart(sorted(found))


@lru_cache(64)
def _pattern(phrase: Phrase) -> re.Pattern[str]:
    """The phrase in a folded text: its words with anything but letters and digits between them."""
    parts = []
    for number, run in enumerate(phrase.runs, start=1):
        is_open = phrase.begins and number == len(phrase.runs)
        if _is_unspaced(run):
            parts.append(re.escape(run))
        else:
            parts.append(_BEFORE_WORD + re.escape(run) + (_ANY_ENDING if is_open else _BEHIND_WORD))
    return re.compile(r"[\W_]*".join(parts))


def _apart(found: list[tuple[int, int]]) -> list[tuple[int, int]]:
    apart: list[tuple[int, int]] = []
    for start, end in found:
        if apart and start <= apart[-1][1]:
            apart[-1] = (apart[-1][0], max(end, apart[-1][1]))
        else:
            apart.append((start, end))
    return apart


def _signs(run: str) -> Iterator[str]:
    """A word, or the pairs of a run without spaces, and its last sign."""
    if not _is_unspaced(run):
        yield run[:LONGEST_WORD]
        return
    for number in range(len(run) - 1):
        yield run[number : number + 2]
    yield run[-1]


def _is_unspaced(run: str) -> bool:
    return not run[0].isascii() and _UNSPACED_ONE.match(run) is not None


_UNSPACED_ONE = re.compile(f"[{_UNSPACED}]")


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text)
    bare = "".join(sign for sign in apart if unicodedata.combining(sign) <= _SOUND_MARKS)
    return unicodedata.normalize("NFC", bare.casefold())


def _origins(text: str) -> list[int]:
    """For each character of the folded text, and for its end, where it stands in the text."""
    origin: list[int] = []
    start = 0
    for end in range(1, len(text) + 1):
        if end < len(text) and _joins(text[end]):
            continue
        origin += [start] * len(_folded(text[start:end]))
        start = end
    return [*origin, len(text)]


def _joins(sign: str) -> bool:
    """Whether it is one with the sign before it: a mark, or a part of a syllable of Hangul."""
    return not sign.isascii() and (unicodedata.combining(sign) > 0 or "\u1160" <= sign <= "\u11ff")
