"""The very values that a request has carried as credentials, in all the ways in which they come back.

A provider may quote a key in an error, an exception the address that it was a part of, an answer the tool
that was described. Such a value needs no known name and no known shape to be found.
"""

import json
from base64 import b64encode, urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from urllib.parse import quote, quote_plus

from miharu.redaction.slices import hits

__all__ = ("carried", "forget", "is_telling", "keep", "remember", "remembered", "written")

REMEMBERED = 32
"""As many as the last requests have carried are known to what belongs to no request: spans, and the log."""
SHORT = 8
"""A shorter value is found only where nothing goes on before and behind it."""
_CUT = 6
"""So much of the beginning of a value is taken for it where the text breaks off."""
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
"""Of the settings: they are known for good."""


def is_telling(value: str) -> bool:
    """Whether a value can be told from an ordinary word, and is worth hiding."""
    if value.lower() in _NO_SECRETS or len(value) < 5 or value.isspace():
        return False
    return len(value) >= SHORT or not (value.isalpha() and (value.islower() or value.isupper()))


def keep(values: Iterable[str]) -> None:
    """Know these values for good, as far as they can be told from ordinary words."""
    _kept.update(dict.fromkeys(value for value in values if is_telling(value)))


def remember(values: Iterable[str]) -> None:
    """Know these values from now on, instead of older ones."""
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
    """The values that are known."""
    try:
        return (*_kept, *_remembered)
    except RuntimeError:  # another thread has added one meanwhile
        return (*dict(_kept), *dict(_remembered))


def forget() -> None:
    """Know none."""
    _remembered.clear()
    _kept.clear()


def carried(data: bytes, values: Sequence[str]) -> Iterator[tuple[int, int]]:
    """From where to where they stand, however they are written."""
    for value in values:
        for form in written(value):
            for at in hits(data, (form,), slice_=_WIDE):
                end = at + len(form)
                if len(form) >= SHORT or not (_is_word(data, at - 1) or _is_word(data, end)):
                    yield at, end
            yield from _broken_off(data, form)


def _broken_off(data: bytes, form: bytes) -> Iterator[tuple[int, int]]:
    """The beginning of a value at the very end of the text."""
    tail = data[-len(form) :]
    at = tail.find(form[:_CUT])
    while at >= 0:
        if form.startswith(tail[at:]):
            yield len(data) - len(tail) + at, len(data)
            return
        at = tail.find(form[:_CUT], at + 1)


def _is_word(data: bytes, at: int) -> bool:
    return 0 <= at < len(data) and data[at : at + 1].isalnum()


@lru_cache(128)
def written(value: str) -> tuple[bytes, ...]:
    """A value as it may be written: plain, in an address, in JSON, in HTML, in base64, in hexadecimal."""
    raw = value.encode("utf-8", "surrogatepass")
    in_json = json.dumps(value)[1:-1]
    quoted = quote(value, safe="", errors="replace")
    forms = [value, json.dumps(value, ensure_ascii=False)[1:-1], in_json, json.dumps(in_json)[1:-1]]
    forms += [
        _as_unicode(in_json),
        _as_unicode(in_json).lower(),
        in_json.replace("/", "\\/"),
        _in_html(value),
    ]
    forms += [quoted, quoted.lower(), quote(quoted, safe=""), quote(value, errors="replace")]
    forms += [quote_plus(value, errors="replace"), repr(value)[1:-1]]
    found = {form.encode("utf-8", "surrogatepass"): None for form in forms}
    if len(raw) >= SHORT:
        found |= dict.fromkeys(_in_base64(raw))
        found[raw.hex().encode()] = found[raw.hex().upper().encode()] = None
    return tuple(sorted(found, key=len, reverse=True))


def _as_unicode(text: str) -> str:
    """As encoders write it that trust no sign in a page: each as an escape."""
    return "".join(f"\\u{ord(sign):04X}" if sign in "<>&'=+\"/" else sign for sign in text)


def _in_html(text: str) -> str:
    for sign, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#x27;")):
        text = text.replace(sign, name)
    return text


def _in_base64(raw: bytes) -> Iterator[bytes]:
    """What of its base64 is the same whatever stands around it, at each of the three places of a triplet."""
    for encode in (b64encode, urlsafe_b64encode):
        for ahead in range(3):
            code = encode(bytes(ahead) + raw)
            first = (ahead * 8 + 5) // 6
            last = (ahead + len(raw)) * 8 // 6
            if last - first >= SHORT:
                yield code[first:last]
