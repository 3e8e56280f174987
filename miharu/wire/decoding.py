"""Content-encodings, undone chunk by chunk, so that a truncated stream still gives what it can.

A few bytes can stand for gigabytes. So no step makes more than ``STEP`` bytes, all steps of all encodings
together make no more than ``MOST``, and of what comes out only the start and the end are kept, as of any
large body. Between two steps the interpreter's lock is given up.

No codec package is ever a dependency: httpx would then change the host's ``Accept-Encoding``. One that the
host has is used, because only then can the server have chosen it.
"""

import time
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import accumulate
from typing import Any

from miharu._quick import quickly_made
from miharu.kept_body import KEPT_HEAD, KEPT_TAIL

__all__ = ("Decoded", "decode")

MOST = 64 << 20
"""Bytes that one body may cost, those included that are only decoded to be decoded again."""
STEP = 1 << 18
"""Bytes that one step makes, about."""
SLICE = 1 << 12
"""Bytes that are fed at once. What is left of them behind the end of a part is copied for each part."""
PARTS = 100_000
"""Members of gzip, or frames of zstd, in one body."""
LAYERS = 5
"""Encodings on top of each other, as many as httpx undoes."""
WINDOW = 23
"""The binary logarithm of zstd's largest window (RFC 9659, section 3)."""
TINY = 8
"""Bytes that are fed at once to a brotli that has no limit: too few for a second block of 16 MB."""

Out = Callable[[bytes], object]
"""Takes what was decoded, piece by piece."""
Feed = Callable[[bytes], object]
"""Takes what is to be decoded."""


@quickly_made
@dataclass(frozen=True, slots=True)
class Decoded:
    """A body without its content-encodings."""

    body: bytes
    lengths: Sequence[int]
    """Of ``body``, after each chunk."""
    gap: int | None = None
    """Where in ``body`` bytes are missing that were too many to keep; ``None`` where none are."""
    unread: str | None = None
    """Why the rest was not decoded, where it could have been."""


class _Enough(Exception):  # noqa: N818 - nothing is wrong with the body
    """No more of this body is decoded."""


def decode(chunks: Iterable[bytes], encoding: str) -> Decoded:
    """The decoded body, up to the first byte that is not valid, or that would cost too much."""
    names = [name for part in encoding.split(",") if (name := part.strip().lower())]
    if not names:
        return _joined(chunks)
    kept, lengths = _Kept(), list[int]()
    feed, unread = _chain(names, kept.add)
    for chunk in chunks:
        try:
            if feed is not None:
                feed(chunk)
        except _Enough as enough:
            feed, unread = None, str(enough)
        except Exception:  # noqa: BLE001 - each codec raises its own; a broken body ends the body
            feed = None
        lengths.append(kept.length)
    return kept.decoded(lengths, unread)


def _joined(chunks: Iterable[bytes]) -> Decoded:
    pieces = list(chunks)
    return Decoded(b"".join(pieces), list(accumulate(map(len, pieces))))


def _chain(names: Sequence[str], out: Out) -> tuple[Feed | None, str | None]:
    """What undoes all encodings, the last one first; or why nothing does, where it could."""
    if len(names) > LAYERS:
        return None, f"The answer has more than {LAYERS} content-encodings."
    budget = _Budget()
    feed: Feed = out
    for name in names:
        make = _CODECS.get(name)
        made = make(budget.before(feed)) if make else None
        if made is None:
            return None, None
        feed = made
    return feed, None


class _Budget:
    """What is left of ``MOST`` for one body."""

    def __init__(self) -> None:
        self._left = MOST
        self._held = 0

    def before(self, out: Out) -> Out:
        """The same, while there is something left."""

        def take(piece: bytes) -> None:
            self._left -= len(piece)
            if self._left < 0:
                raise _Enough(f"The answer decodes to more than {MOST >> 20} MB; the rest was not read.")
            self._held += len(piece)
            if self._held >= STEP:
                self._held = 0
                time.sleep(0)
            out(piece)

        return take


class _Kept:
    """The start and the end of a body."""

    def __init__(self) -> None:
        self.length = 0
        """Of all that came."""
        self._head = bytearray()
        self._tail: deque[bytes] = deque()
        self._tail_size = 0

    def add(self, piece: bytes) -> None:
        self.length += len(piece)
        if not self._tail and self.length <= KEPT_HEAD:
            self._head += piece
            return
        self._tail.append(piece)
        self._tail_size += len(piece)
        while self._tail_size - len(self._tail[0]) >= KEPT_TAIL:
            self._tail_size -= len(self._tail.popleft())

    def decoded(self, lengths: Sequence[int], unread: str | None) -> Decoded:
        head, lost = len(self._head), self.length - len(self._head) - self._tail_size
        if lost:
            lengths = [length if length <= head else max(head, length - lost) for length in lengths]
        return Decoded(b"".join((self._head, *self._tail)), lengths, head if lost else None, unread)


class _Parts:
    """Undoes what may have several parts: members of gzip (RFC 1952), frames of zstd (RFC 8878)."""

    def __init__(self, make: Callable[[], Any], out: Out) -> None:
        self._make = make
        self._out = out
        self._part: Any = None
        self._count = 0

    def __call__(self, data: bytes) -> None:
        for start in range(0, len(data), SLICE):
            rest = data[start : start + SLICE]
            while rest:
                rest = self._feed(rest)

    def _feed(self, data: bytes) -> bytes:
        """Undo as much as belongs to one part; what comes behind its end."""
        if self._part is None:
            self._part, self._count = self._make(), self._count + 1
            if self._count > PARTS:
                raise _Enough(f"The answer was compressed in more than {PARTS:,} parts.")
        part = self._part
        while piece := part.decompress(data, STEP):
            self._out(piece)
            if part.eof:
                break
            data = getattr(part, "unconsumed_tail", b"")
        if not part.eof:
            return b""
        self._part = None
        rest: bytes = part.unused_data
        return rest


class _Deflate:
    """Servers disagree whether deflate has a zlib header; its two bytes tell (RFC 1950)."""

    def __init__(self, out: Out) -> None:
        self._out = out
        self._head = b""
        self._feed: Feed | None = None

    def __call__(self, data: bytes) -> None:
        if self._feed is None:
            self._head += data
            if len(self._head) < 2:
                return
            has_header = self._head[0] & 0x0F == 8 and int.from_bytes(self._head[:2]) % 31 == 0
            bits = zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS
            self._feed, data = _Parts(lambda: zlib.decompressobj(bits), self._out), self._head
        self._feed(data)


class _Brotli:
    """Undoes brotli; before 1.2 its packages know no limit, so they are fed a few bytes at a time."""

    def __init__(self, codec: Any, out: Out) -> None:
        self._process = codec.Decompressor().process
        self._out = out
        try:
            self._process(b"", output_buffer_limit=STEP)
            self._limit = {"output_buffer_limit": STEP // 2}  # it may make nearly twice as much
        except TypeError:
            self._limit = {}

    def __call__(self, data: bytes) -> None:
        size = SLICE if self._limit else TINY
        for start in range(0, len(data), size):
            piece = self._process(data[start : start + size], **self._limit)
            while piece:
                for at in range(0, len(piece), STEP):
                    self._out(piece[at : at + STEP])
                piece = self._process(b"", **self._limit) if self._limit else b""


class _Zstandard:
    """Undoes zstd by the package ``zstandard``, which writes what it makes, frame after frame."""

    def __init__(self, codec: Any, out: Out) -> None:
        decompressor = codec.ZstdDecompressor(max_window_size=1 << WINDOW)
        self._feed = decompressor.stream_writer(self, write_size=STEP, closefd=False).write
        self._out = out

    def __call__(self, data: bytes) -> None:
        for start in range(0, len(data), SLICE):
            self._feed(data[start : start + SLICE])

    def write(self, piece: bytes) -> int:
        self._out(piece)
        return len(piece)


def _first(*names: str) -> Any:
    for name in names:
        try:
            return import_module(name)
        except ImportError:
            continue
    return None


def _gzip(out: Out) -> Feed:
    return _Parts(lambda: zlib.decompressobj(31), out)


def _brotli(out: Out) -> Feed | None:
    codec = _first("brotli", "brotlicffi")
    return _Brotli(codec, out) if codec else None


def _zstd(out: Out) -> Feed | None:
    if codec := _first("compression.zstd", "backports.zstd"):
        options = {codec.DecompressionParameter.window_log_max: WINDOW}
        return _Parts(lambda: codec.ZstdDecompressor(options=options), out)
    codec = _first("zstandard")
    return _Zstandard(codec, out) if codec else None


_CODECS: dict[str, Callable[[Out], Feed | None]] = {
    "identity": lambda out: out,
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _Deflate,
    "br": _brotli,
    "zstd": _zstd,
}
