"""The very values that a request has carried as credentials, in all the ways in which they come back.

A provider may quote a key in an error, an exception the address that it was a part of, an answer the tool
that was described. Such a value needs no known name and no known shape to be found.
"""

import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from miharu.redaction.slices import SLICE, hits, pause

__all__ = ("SHORT", "Written", "carried", "forget", "is_telling", "keep", "remember", "remembered", "written")

REMEMBERED = 32
"""As many as the last requests have carried are known to what belongs to no request: spans, and the log."""
SHORT = 8
"""A shorter value is found only where nothing goes on before and behind it."""
_CUT = 6
"""So much of the beginning of a value is taken for it where the text breaks off."""
_ABRIDGED = 12
"""So much of it is taken for it anywhere, if it goes on: a provider may quote it with dots behind."""
_WIDE = 512 << 10
_NO_SECRETS = frozenset({
    *("ollama", "empty", "dummy", "lm-studio", "lmstudio", "not-needed", "notneeded", "no-key", "unused"),
    "local",
    *("placeholder", "anything", "whatever", "testing", "localhost", "undefined", "required", "ignored"),
    "openai",
    *("sk-no-key-required", "application/json", "not-required", "no-key-needed", "your-api-key"),
    "your_api_key",
    *("api-key", "api_key", "anonymous", "default", "changeme", "password", "authorization", "assistant"),
    "system",
})  # fmt: skip
"""What is written where a key is asked for and none is needed. To take it out would hide other things."""

_remembered: OrderedDict[str, None] = OrderedDict()
_kept: dict[str, None] = {}
"""Values from the settings, which are never forgotten."""


def is_telling(value: str) -> bool:
    """Whether a value can be told from an ordinary word, and is worth hiding."""
    if value.lower() in _NO_SECRETS or len(value) < 5 or value.isspace():
        return False
    return len(value) >= SHORT or not (value.isalpha() and (value.islower() or value.isupper()))


def keep(values: Iterable[str]) -> None:
    """Redact these values for good, as far as they can be told from ordinary words."""
    _kept.update(dict.fromkeys(value for value in values if is_telling(value)))


def remember(values: Iterable[str]) -> None:
    """Redact these values from now on, in place of older ones."""
    for value in values:
        if value in _remembered:
            continue
        _remembered[value] = None
        if len(_remembered) > REMEMBERED:
            try:
                _remembered.popitem(last=False)
            except KeyError:  # another thread was quicker
                return


def remembered() -> tuple[str, ...]:
    """The values that are remembered."""
    try:
        return (*_kept, *_remembered)
    except RuntimeError:  # another thread has added one meanwhile
        return (*dict(_kept), *dict(_remembered))


def forget() -> None:
    _remembered.clear()
    _kept.clear()


def carried(data: bytes, values: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Start and end of each occurrence, in any encoding."""
    for value in values:
        form = written(value)
        if form.head:
            yield from _abridged(data, form)
        for start, end in form.within(data):
            if len(value) >= SHORT or not (_is_word(data, start - 1) or _is_word(data, end)):
                yield start, end
        for code in form.codes:
            for at in hits(data, (code,), slice_=_WIDE):
                yield at, at + len(code)
        for beginning in form.starts:
            yield from _broken_off(data, beginning)


def _broken_off(data: bytes, form: bytes) -> Iterator[tuple[int, int]]:
    """The beginning of a value at the very end of the text."""
    tail = data[-len(form) :]
    at = tail.find(form[:_CUT])
    while at >= 0:
        if form.startswith(tail[at:]):
            yield len(data) - len(tail) + at, len(data)
            return
        at = tail.find(form[:_CUT], at + 1)


def _abridged(data: bytes, form: "Written") -> Iterator[tuple[int, int]]:
    """The beginning of a value anywhere, as far as it goes on."""
    for at in hits(data, (form.head,), slice_=_WIDE):
        end = len(form.head)
        while end < len(form.plain) and data[at + end : at + end + 1] == form.plain[end : end + 1]:
            end += 1
        yield at, at + end


def _is_word(data: bytes, at: int) -> bool:
    return 0 <= at < len(data) and data[at : at + 1].isalnum()


@dataclass(frozen=True, slots=True)
class Written:
    """A value, in the ways in which it may be written."""

    plain: bytes
    head: bytes
    """Its beginning, which is enough to know it by; empty where it is short, or an encoder changes that."""
    pattern: re.Pattern[bytes] | None
    """It with each sign escaped or not, also several times; ``None`` where no encoder changes any."""
    starts: tuple[bytes, ...]
    """It as it may begin where the text ends."""
    codes: tuple[bytes, ...]
    """It in base64, in hexadecimal digits and in UTF-16."""
    shortest_code: int
    """Bytes that a text needs to hold one of these."""

    def within(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Start and end of each occurrence."""
        if self.pattern is None:
            for at in () if self.head else hits(data, (self.plain,), slice_=_WIDE):
                yield at, at + len(self.plain)
            return
        for start in range(0, len(data), SLICE):
            if start:
                pause()
            for found in self.pattern.finditer(data, start, start + SLICE + _LONGEST_SIGN * len(self.plain)):
                yield found.span()

    def is_in(self, data: bytes, *, coded: bool = True) -> bool:
        """Whether it stands there, in a text that is short; or what encoders have made of it."""
        there = self.plain in data if self.pattern is None else self.pattern.search(data) is not None
        return there or (coded and any(code in data for code in self.codes))


@lru_cache(128)
def written(value: str) -> Written:
    """The value in the ways in which it may be written."""
    raw = value.encode("utf-8", "surrogatepass")
    starts = {value, quote(value, safe="", errors="replace"), json.dumps(value)[1:-1]}
    codes = dict.fromkeys(
        (*_in_base64(raw), raw.hex().encode(), raw.hex().upper().encode(), _in_utf16(value))
    )
    has_head = len(raw) >= _ABRIDGED * 4 // 3 and _UNCHANGED.fullmatch(value[:_ABRIDGED])
    return Written(
        plain=raw,
        head=raw[:_ABRIDGED] if has_head else b"",
        pattern=None if _UNCHANGED.fullmatch(value) else re.compile(b"".join(map(_sign, value))),
        starts=tuple(start.encode("utf-8", "surrogatepass") for start in starts),
        codes=tuple(codes) if len(raw) >= SHORT else (),
        shortest_code=min(map(len, codes)),
    )


_UNCHANGED = re.compile(r"[A-Za-z0-9_.~-]*")
_IN_HTML = {"&": b"amp", "<": b"lt", ">": b"gt", '"': b"quot", "'": b"(?:#x27|#39|apos)", "/": b"#x2[fF]"}
_LONGEST_SIGN = 24


def _sign(sign: str) -> bytes:
    """It, or what JSON, addresses and HTML make of it, once or several times."""
    if _UNCHANGED.fullmatch(sign):
        return re.escape(sign.encode())
    raw = sign.encode("utf-8", "surrogatepass")
    units = sign.encode("utf-16-be", "surrogatepass")
    escapes = b"".join(rb"\\{1,8}u" + _digits(units[at : at + 2]) for at in range(0, len(units), 2))
    percents = b"".join(b"%(?:25){0,2}" + _digits(bytes([byte])) for byte in raw)
    named = b"|&(?:amp;)?" + _IN_HTML[sign] + b";" if sign in _IN_HTML else b""
    more = {" ": rb"|\+", "\n": rb"|\\{1,8}n", "\t": rb"|\\{1,8}t", "\r": rb"|\\{1,8}r"}.get(sign, b"")
    return rb"(?:\\{0,8}" + re.escape(raw) + b"|" + escapes + b"|" + percents + named + more + b")"


def _digits(data: bytes) -> bytes:
    """Its hexadecimal digits, in small letters or in capitals."""
    return b"".join(
        digit if digit.isdigit() else b"[" + digit + digit.upper() + b"]"
        for digit in (data.hex()[at : at + 1].encode() for at in range(2 * len(data)))
    )


def _in_utf16(value: str) -> bytes:
    """What of it is the same in either order of bytes."""
    return value.encode("utf-16-le", "surrogatepass")[:-1]


def _in_base64(raw: bytes) -> Iterator[bytes]:
    """The part of its base64 that no text around it changes, at each of the three places of a triplet."""
    for encode in (b64encode, urlsafe_b64encode):
        for ahead in range(3):
            code = encode(bytes(ahead) + raw)
            first = (ahead * 8 + 5) // 6
            last = (ahead + len(raw)) * 8 // 6
            if last - first >= SHORT:
                yield code[first:last]
