"""Pictures and sounds that a body holds as base64: found there, told by their first bytes, and small.

What kind a thing is, its own bytes say, never the words around it. So nothing is served that a browser could
run: no vector graphics, no document.
"""

import hashlib
import re
from base64 import b64decode
from dataclasses import dataclass
from urllib.parse import urlencode

from miharu.call import Call
from miharu.dashboard.address.view import is_storable

__all__ = ("Finder", "Kept", "kept_at")

_LARGEST = 1_400_000
"""Characters of base64: a megabyte."""
_RUN = re.compile(rb"[A-Za-z0-9+/]{64,%d}+={0,2}+" % _LARGEST)
_MOST = 40
"""Of one call: each is read whole."""
_TYPES: tuple[tuple[bytes, int, bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", 0, b"", "image/png"),
    (b"\xff\xd8\xff", 0, b"", "image/jpeg"),
    (b"GIF87a", 0, b"", "image/gif"),
    (b"GIF89a", 0, b"", "image/gif"),
    (b"RIFF", 8, b"WEBP", "image/webp"),
    (b"RIFF", 8, b"WAVE", "audio/wav"),
    (b"ID3", 0, b"", "audio/mpeg"),
    (b"\xff\xfb", 0, b"", "audio/mpeg"),
    (b"\xff\xf3", 0, b"", "audio/mpeg"),
    (b"OggS", 0, b"", "audio/ogg"),
    (b"fLaC", 0, b"", "audio/flac"),
)
"""First bytes, and bytes further on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A picture or a sound."""

    type: str
    """Such as ``image/png``."""
    content: bytes
    link: str = ""
    """Where the browser gets it."""

    @property
    def is_picture(self) -> bool:
        return self.type.startswith("image/")

    @property
    def digest(self) -> str:
        """By which two of them are compared."""
        return hashlib.sha256(self.content).hexdigest()[:12]


def kept_at(body: bytes, start: int) -> Kept | None:
    """What stands there; ``None`` where it is too large, or nothing that can be shown."""
    found = _RUN.match(body, start)
    if found is None or body[found.end() : found.end() + 1] not in {b'"', b"'", b")", b"\\"}:
        return None
    run = found[0].rstrip(b"=")
    try:
        content = b64decode(run + b"=" * (-len(run) % 4), validate=True)
    except ValueError:
        return None
    for first, place, further, kind in _TYPES:
        if content.startswith(first) and content[place : place + len(further)] == further:
            return Kept(type=kind, content=content)
    return None


class Finder:
    """Finds the things of one call, in the order in which they are asked for."""

    def __init__(self, call: Call) -> None:
        self._body = call.body
        self._id = call.id
        self._left = _MOST
        self._behind: dict[tuple[str, str], int] = {}
        """By its beginning: where the search for the next one like it begins."""

    def find(self, data: str) -> Kept | None:
        """By the beginning of its base64."""
        for of in ("request", "response"):
            body = getattr(self._body, of, None)
            if not data or not body or not self._left or not is_storable(self._id):
                continue
            start = body.find(data.encode(), self._behind.get((of, data), 0))
            if start >= 0:
                self._left -= 1
                self._behind[of, data] = start + 1
                kept = kept_at(body, start)
                link = f"media?{urlencode({'of': of, 'at': start, 'id': self._id})}"
                return kept and Kept(type=kept.type, content=kept.content, link=link)
        return None
