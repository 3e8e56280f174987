"""JSON of any size and shape, cut short before it is parsed.

A parser holds the interpreter's lock from the first byte to the last, and the host waits for it. So what is
parsed for a page is bounded first, by a scan that holds the lock for a fraction of a millisecond at a time:
so many values, so deep, so many bytes; long texts and numbers are cut where they stand.
"""

import re
import time
from dataclasses import dataclass
from typing import Any

from miharu.wire.exact import exact
from miharu.wire.json import loads

__all__ = ("LONGEST", "Abridged", "abridged", "read")

_TOKENS = 40_000
"""Brackets, commas and texts that are read of one body."""
_DEEPEST = 64
LONGEST = 20_000
"""Bytes of one text."""
_MOST = 4 << 20
_SMALL = 2_000
"""Bytes; so little is parsed at once, with any content."""
_PATIENCE = 100
"""Tokens after the last, in which JSON has a comma or another bracket opens."""
_STEP = 500
"""Tokens after which the interpreter's lock is given up."""
_WINDOW = 1 << 16
"""Bytes that are searched at once."""
_GAP = 400
"""Bytes between two tokens, from which on they are a giant number, or nothing."""
_TOKEN = re.compile(rb'["\[\]{},]')
_TEXT = re.compile(rb'"[^"\\]{0,4000}+"')
_VALUE = re.compile(rb"\s{0,20}+:?\s{0,20}+(-?[0-9]{20})?")
_INSIDE = re.compile(rb'(?:[^"\\]++|\\.){1,2000}+', re.DOTALL)
_WHOLE = re.compile(
    rb'(?:[^"\\\x80-\xff]|\\u[0-9a-fA-F]{4}|\\[^u]'
    rb"|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3})*+"
)
_HALF = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}\Z")
_CLOSED_BY = {b"[": b"]", b"{": b"}"}


@dataclass(frozen=True, slots=True)
class Abridged:
    """JSON that is quick to parse."""

    body: bytes
    cut: bool
    """Its end is missing. A long text that was cut says so itself."""


def read(body: bytes, longest: int = LONGEST, *, exactly: bool = False) -> tuple[Any, bool]:
    """The value, as far as it is read, and whether there was more; ``None`` where it is no JSON.

    Args:
        body: Anything.
        longest: How many bytes of one text to keep.
        exactly: Keep the numbers and names that a value cannot hold (``wire/exact.py``).
    """
    if len(body) <= _SMALL:
        return (exact(body) if exactly else None) or loads(body), False
    short = abridged(body, longest=longest)
    return (exact(short.body) if exactly else None) or loads(short.body), short.cut


def abridged(
    body: bytes,
    *,
    tokens: int = _TOKENS,
    most: int = _MOST,
    longest: int = LONGEST,
    unfinished: bool = False,
) -> Abridged:
    """The beginning of the JSON, or of several objects one after another, with every bracket closed.

    Args:
        body: Anything.
        tokens: How many brackets, commas and texts to keep.
        most: How many bytes to keep.
        longest: How many bytes of one text to keep.
        unfinished: Its end is known to be missing: it is read up to its last comma.
    """
    short = _Short(body, unfinished=unfinished)
    seen = at = 0
    while (start := _next(body, at)) is not None:
        seen += 1
        if not seen % _STEP:
            time.sleep(0)
        if start - at > _GAP:
            short.cut_gap(at, start)
        token, at = body[start : start + 1], start + 1
        full = seen > tokens or start - short.saved > most
        if seen > tokens + _PATIENCE or (full and token == b","):
            return short.end(start)
        if token == b'"':
            at = _end_of_text(body, start)
            if at - start > longest:
                short.cut_text(start, at, longest)
        elif token in _CLOSED_BY:
            if full or len(short.closing) == _DEEPEST:
                return short.end(start, b'"\xe2\x80\xa6"' if short.closing else b"")
            short.closing.append(_CLOSED_BY[token])
        else:
            short.go_on(token, start)
    return short.rest(at)


class _Short:
    def __init__(self, body: bytes, *, unfinished: bool) -> None:
        self.body = body
        self.unfinished = unfinished
        self.pieces: list[bytes] = []
        self.taken = 0
        """Up to where of the body."""
        self.saved = 0
        """Bytes that were left out."""
        self.closing: list[bytes] = []
        """The brackets that are missing, in reverse."""
        self.last_comma: tuple[int, list[bytes]] = (0, [])
        """Where it stands, and the brackets that are missing there; only of what is unfinished."""

    def cut_text(self, start: int, end: int, longest: int) -> None:
        shown = _beginning(self.body[start + 1 : start + longest])
        more = b'\xe2\x80\xa6 [%d bytes more]"' % (end - start - 2 - len(shown))
        self._leave_out(start + 1, end, shown + more)

    def cut_gap(self, start: int, end: int) -> None:
        """What stands between two tokens and is too long: a number, or white space around a word."""
        found = _VALUE.match(self.body, start, end)
        head = found[0] if found else b""
        if found and found[1]:
            before = head.removesuffix(found[1])
            instead = b'%b"%b\xe2\x80\xa6 [%d digits]"' % (before, found[1], end - start - len(before))
        else:  # so much white space stands in no JSON that a program has written
            text = self.body[start : min(end, start + _WINDOW)].strip()
            instead = (b":" + text[1:].lstrip() if text[:1] == b":" else text)[:_GAP]
        self._leave_out(start, end, instead)

    def go_on(self, token: bytes, start: int) -> None:
        """Behind a comma, or a bracket that closes."""
        if token != b",":
            del self.closing[-1:]
        elif self.unfinished:
            self.last_comma = (start, self.closing[:])

    def rest(self, at: int) -> Abridged:
        comma, closing = self.last_comma
        if comma > self.taken:
            self.closing = closing
            return self.end(comma)
        if self.unfinished and self.taken == len(self.body):  # its last text was cut, and ends there
            return self.end(self.taken)
        if len(self.body) - at > _GAP:
            self.cut_gap(at, len(self.body))
        return Abridged(b"".join((*self.pieces, self.body[self.taken :])), cut=False)

    def end(self, at: int, last: bytes = b"") -> Abridged:
        self.pieces += (self.body[self.taken : at], last, *reversed(self.closing))
        return Abridged(b"".join(self.pieces), cut=True)

    def _leave_out(self, start: int, end: int, instead: bytes) -> None:
        self.pieces += (self.body[self.taken : start], instead)
        self.taken = end
        self.saved += end - start - len(instead)


def _next(body: bytes, at: int) -> int | None:
    """Where the next quote, bracket or comma stands."""
    while at < len(body):
        if found := _TOKEN.search(body, at, at + _WINDOW):
            return found.start()
        at += _WINDOW
    return None


def _end_of_text(body: bytes, start: int) -> int:
    """Behind the quote that ends the text; the end of all where there is none."""
    if found := _TEXT.match(body, start):
        return found.end()
    at = start + 1
    while found := _INSIDE.match(body, at, at + _WINDOW):
        at = found.end()
    return at + 1 if body[at : at + 1] == b'"' else len(body)


def _beginning(text: bytes) -> bytes:
    """Without the character or the escape that was cut in two."""
    found = _WHOLE.match(text)
    whole = found[0] if found else b""
    return whole[:-6] if _HALF.search(whole) else whole
