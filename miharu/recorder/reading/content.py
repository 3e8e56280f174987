"""What is kept of prompts and answers, where that was asked for: text without binaries and secrets."""

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from typing import Any

from miharu._guard import count
from miharu.call import Body
from miharu.exchange import Request
from miharu.providers.base import Wire
from miharu.redaction.text import MARGIN, redacted_bytes
from miharu.wire.large import without_binaries

__all__ = ("KEPT_CONTENT", "SEEN_CONTENT", "Content", "Hook", "seen")

logger = logging.getLogger("miharu")

KEPT_CONTENT = 4 << 20
"""Bytes of a body that are stored; binaries are not among them."""
SEEN_CONTENT = KEPT_CONTENT + MARGIN
"""Bytes of a body that are read to make the part that is kept."""
Hook = Callable[[Any], Any]
"""The user's ``redact`` function: from a text or a JSON object to the same."""


def seen(request: Request, wire: Wire) -> Body:
    """Both sides, with type, size and hash in place of binaries; a little more of each than is kept."""
    kind = wire.headers.get("content-type", "").partition(";")[0]
    response = wire.body
    if kind.startswith(("audio/", "image/", "video/")) or kind == "application/octet-stream":
        label = f"[{kind}, {len(response)} bytes, sha256 {hashlib.sha256(response).hexdigest()}]"
        return Body(request=_text(request.body), response=label.encode())
    if wire.gap is not None:  # what was cut in two there is not to be told from what it was
        response = response[: max(0, wire.gap - MARGIN)] + response[wire.gap + MARGIN :]
    return Body(request=_text(request.body), response=_text(response))


def _text(content: bytes | None) -> bytes | None:
    return content if content is None else without_binaries(content, SEEN_CONTENT)


class Content:
    """Redacts content and applies the user's hook."""

    def __init__(self, hook: Hook | None = None) -> None:
        """Prepare.

        Args:
            hook: The user's own; what it fails on is not kept.
        """
        self._hook = hook
        self._was_logged = False

    def kept(self, body: Body, values: Sequence[str]) -> Body:
        """Both sides without credentials, and as the user's function returns them."""
        return Body(request=self._side(body.request, values), response=self._side(body.response, values))

    def text(self, text: str | None, values: Sequence[str]) -> str | None:
        """A text of a span, in the same way."""
        if text is None:
            return None
        kept = self._side(text.encode("utf-8", "replace"), values)
        return None if kept is None else kept.decode("utf-8", "replace")

    def _side(self, content: bytes | None, values: Sequence[str]) -> bytes | None:
        if content is None:
            return None
        clean = redacted_bytes(content, values)
        if len(content) > KEPT_CONTENT:  # nothing of a secret is left on the edge
            clean = clean[:-MARGIN][:KEPT_CONTENT]
        clean = clean[:KEPT_CONTENT]
        if self._hook is None or not clean:
            return clean
        try:
            return _returned(self._hook, clean)[:KEPT_CONTENT]
        except Exception as error:  # noqa: BLE001 - the user's function; what it cannot do is not stored
            self._failed(error)
            return None

    def _failed(self, error: Exception) -> None:
        count()
        if self._was_logged:
            return
        self._was_logged = True
        where = error.__traceback__
        while where is not None and where.tb_next is not None:
            where = where.tb_next
        line = f" in {where.tb_frame.f_code.co_filename}, line {where.tb_lineno}" if where else ""
        said = f": {error}" if isinstance(error, _WrongTypeError) else line  # any other may quote the content
        logger.warning(
            "miharu: redact= failed (%s%s); the content that it was given is not stored. Such failures are "
            "counted among the errors of miharu.stats(); this is said once.",
            type(error).__name__.strip("_"),
            said,
        )


class _WrongTypeError(TypeError):
    pass


def _returned(hook: Hook, content: bytes) -> bytes:
    text = content.decode("utf-8", "replace")
    value: Any = text
    if text.lstrip()[:1] in {"{", "["}:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            value = text
    result = hook(value)
    if isinstance(value, str):
        if not isinstance(result, str):
            raise _WrongTypeError(f"it was given a str and returned {type(result).__name__}")
        return result.encode("utf-8", "replace")
    if not isinstance(result, dict | list):
        raise _WrongTypeError(f"it was given a {type(value).__name__} and returned {type(result).__name__}")
    return json.dumps(result, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
