"""The values of fields, headers and parameters whose names say that they are secrets.

It reads JSON, JSON inside of strings of JSON, forms, queries, multipart, headers, assignments and what Python
prints alike, without parsing: it looks for names, and then around each. So what is cut off, malformed or
wrapped in something else is read as well.
"""

import re
from collections.abc import Iterator

from miharu.redaction.names import STEMS, Verdict, holds_headers, is_address, is_parameter, verdict
from miharu.redaction.objects import values_within
from miharu.redaction.slices import hits
from miharu.redaction.strings import OPENING, closing

__all__ = ("Span", "looks_secret", "named")

Span = tuple[int, int, bytes]
"""From where to where, and what stands there instead; where that is empty, the usual mark."""

_LONGEST_NAME = 64
_LONGEST_LIKELY = 1024
"""A longer value of a name that says nothing for certain is not a secret."""
_RUN = re.compile(rb"[A-Za-z0-9_.\-]*")
# possessive throughout: what was passed is never tried again, so each match is linear in what it reads
_WHITE = rb"(?:\s|\\++[nrt]){0,16}+"
_QUOTE = rb"\\*+[\"']"
_BEHIND = re.compile(rb"(?:\\*+([\"']))?+\]?+" + _WHITE + rb"(:|=>?+|%(?:25)?3[dD]|\\++u003[dD])" + _WHITE)
_CLOSED = re.compile(_QUOTE)
_NEXT = re.compile(_QUOTE + _WHITE + rb"," + _WHITE)
_BESIDE = re.compile(_NEXT.pattern + _QUOTE + rb"value" + _QUOTE + _WHITE + rb":" + _WHITE, re.IGNORECASE)
_PART = re.compile(rb"[^\r\n]{0,200}+(?:\r?\n[^\r\n]{1,200}+){0,8}+\r?\n\r?\n([^\r\n]*+)")
_IN_PAIR = re.compile(rb"[\[(]" + _WHITE + rb"[bBuU]?\\*+\Z")
_AS_NAME = re.compile(
    rb"[\"'](?:name|key|header)" + _QUOTE + _WHITE + rb":" + _WHITE + rb"[bBuU]?\\*+\Z", re.IGNORECASE
)
_NEAR = 400
_ARGUMENT = re.compile(rb"[ \t]{1,4}+")
_ENTERED = re.compile(rb"(?:\r?\n|\\++n)[^\r\n]*?\binput_value=")
_LEAD = re.compile(rb"-[ \t]{1,8}+|[|>][+-]?" + _WHITE + rb"|[A-Za-z_][\w.]{0,40}+\((?=\\*+[\"'])")
"""Before a value: that it is the first of a list, or a block, in YAML; the type that Python prints it as."""
_TAG = re.compile(rb"(?:\s[^<>]{0,200}+)?>")
_NUMBER = re.compile(rb"\d{4,}+(?=[\s,}\]])")
_ESCAPE = rb"\\++(?:u00(?!2[2367]|3[cCeE])[0-9a-fA-F]{2}|/)"
_BARE = re.compile(rb"(?:[^\s\"'<>&;\\]|" + _ESCAPE + rb")++")
_SIGNED_IN = re.compile(
    rb"(?:(?:aws4-hmac-sha256|digest)[ \t][^\r\n\"'\\]*+"
    rb"|(?:(?:bearer|basic|token|api-?key|negotiate|key|splunk|bot)[ \t]+)?(?:[^\s\"'<>\\]|"
    + _ESCAPE
    + rb")++)",
    re.IGNORECASE,
)
_LINE = re.compile(rb"[^\r\n\"'\\<>]++")
_PLAIN = frozenset({
    *(b"none", b"null", b"true", b"false", b"str", b"string", b"int", b"bool", b"bytes", b"any", b"optional"),
    *(b"required", b"missing", b"invalid", b"undefined", b"self", b"object", b"number", b"..."),
    b"[redacted]",
})  # fmt: skip
"""Words behind the name of a secret that are none."""
_LIKELY = re.compile(rb"(?=[^0-9]*[0-9])(?=[^A-Za-z]*[A-Za-z])[\w.~+/=:%$!*@-]{12,}")

_MARKS = (b"?", b"&", b"%3f", b"%26", b"%253f", b"%2526", b"u0026", b"u003f")
"""What stands before a parameter of a query, as it is or encoded."""
_PARAMETER = re.compile(
    rb"(?:[?&](?:amp;)?|%(?:25)?(?:3f|26)|u00(?:26|3f))([\w.\-\[\]]{1,64})(=|%(?:25)?3d|\\+u003d)",
    re.IGNORECASE,
)
_FIRST = re.compile(rb"\s{0,64}+([\w.\-\[\]]{1,64})(=)")
_QUERY_VALUE = re.compile(rb"(?:[^&\s\"'<>#\\]|" + _ESCAPE + rb")*+")
_ENCODED_VALUE = re.compile(rb"(?:(?!%(?:25)?(?:26|23))[^&\s\"'<>#\\])*+")
_SEGMENT = re.compile(rb"[^/?#\\]+")


def named(data: bytes) -> Iterator[Span]:
    """From where to where the values of secrets stand, by their names."""
    yield from _parameters(data)
    runs, done = _Runs(data), 0
    for hit in hits(data, STEMS, fold=True):
        if hit < done:
            continue
        name = _name(data, hit)
        if name is None:
            continue
        start, done = name
        for span in _values(data, start, done, runs):
            done = max(done, span[1])
            if span[0] < span[1]:
                yield span


def looks_secret(value: bytes) -> bool:
    """Whether a value may be a key or a token: long enough, letters and digits, nothing that words have."""
    return len(value) <= _LONGEST_LIKELY and _LIKELY.fullmatch(value) is not None


def _name(data: bytes, hit: int) -> tuple[int, int] | None:
    """From where to where the name stands that the stem is part of."""
    before = _RUN.match(data[max(0, hit - _LONGEST_NAME) : hit][::-1])
    after = _RUN.match(data, hit, hit + _LONGEST_NAME)
    if before is None or after is None or _LONGEST_NAME in (before.end(), after.end() - hit):
        return None
    start, end = hit - before.end(), after.end()
    ahead = data[start - 1 : start]
    if ahead == b"%":
        start += 2
    elif ahead == b"\\":
        start += 5 if data[start : start + 3] == b"u00" else data[start : start + 1] in (b"n", b"r", b"t")
    return (start, end) if start <= hit else None


class _Runs:
    """Where values without quotes end; each is read once, however many names stand in it."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._known: dict[re.Pattern[bytes], tuple[int, int]] = {}

    def end(self, pattern: re.Pattern[bytes], at: int) -> int:
        start, end = self._known.get(pattern, (0, 0))
        if not start <= at < end:
            found = pattern.match(self._data, at)
            end = found.end() if found else at
            self._known[pattern] = at, end
        return end


def _values(data: bytes, start: int, end: int, runs: _Runs) -> Iterator[Span]:
    name = data[start:end].decode("ascii", "replace")
    says = verdict(name)
    soft = says is not Verdict.YES and (holds_headers(name) or is_address(name))
    if says is Verdict.NO and not soft:
        return
    quote = data[start - 1 : start] if start else b""
    behind = _BEHIND.match(data, end)
    if quote in (b'"', b"'") and _CLOSED.match(data, end):
        if behind is not None and behind[1] == quote and behind[2] in (b":", b"=>"):
            yield from _after_colon(data, behind.end(), name, says)
        elif says is not Verdict.NO:
            yield from _beside(data, start, end)
    elif says is not Verdict.NO and behind is not None and not behind[1]:
        yield from _plain(data, behind, name, says, runs)
    elif quote == b"<" and says is Verdict.YES and (tag := _TAG.match(data, end)):
        until = data.find(b"<", end)
        yield tag.end(), len(data) if until < 0 else until, b""
    elif says is not Verdict.NO:
        yield from _argument(data, end, name, says, runs)


def _after_colon(data: bytes, at: int, name: str, says: Verdict) -> Iterator[Span]:
    """The value of a field of an object."""
    opening = OPENING.match(data, at)
    if opening is not None:
        yield from _string(data, opening, name, says)
        return
    bracket = data[at : at + 1]
    if (bracket == b"{" and holds_headers(name)) or (bracket == b"[" and says is Verdict.YES):
        for start, end in values_within(data, at):
            yield start, end, b""
    elif says is Verdict.YES and (number := _NUMBER.match(data, at)):
        depth = _depth(data, at)
        yield at, number.end(), depth + b'"[redacted]' + depth + b'"'


def _depth(data: bytes, at: int) -> bytes:
    """The backslashes that quotes have here, by the last one before."""
    quote = max(data.rfind(b'"', max(0, at - 99), at), data.rfind(b"'", max(0, at - 99), at))
    first = quote
    while first > 0 and data[first - 1] == 0x5C:
        first -= 1
    return data[first:quote] if quote >= 0 else b""


def _string(data: bytes, opening: re.Match[bytes], name: str, says: Verdict) -> Iterator[Span]:
    start, depth, quote = opening.end(), len(opening[1]), opening[2]
    if says is Verdict.YES:
        yield start, closing(data, start, depth, quote), b""
        return
    end = start + closing(data[start : start + _LONGEST_LIKELY + 1], 0, depth, quote)
    if is_address(name):
        yield from _address(data, start, end)
    elif says is Verdict.PERHAPS and looks_secret(data[start:end]):
        yield start, end, b""


def _address(data: bytes, start: int, end: int) -> Iterator[Span]:
    """What of an address is a secret: all of its query, and each part of its path that looks like one."""
    address = data[start:end]
    query = address.find(b"?")
    path = address[: query if query >= 0 else len(address)]
    host = path.find(b"//") + 2
    for segment in _SEGMENT.finditer(path, max(0, path.find(b"/", host))):
        if looks_secret(segment[0]):
            yield start + segment.start(), start + segment.end(), b""
    if query >= 0:
        yield start + query + 1, end, b""


def _beside(data: bytes, start: int, end: int) -> Iterator[Span]:
    """The value of a name that is itself a value: in a pair, as name and value, in a part of a form."""
    ahead = data[max(0, start - 60) : start - 1]
    if ahead.rstrip(b"\\").endswith(b"name="):
        if part := _PART.match(data, end + 1):
            yield part.start(1), part.end(1), b""
        return
    is_option = data[start : start + 1] == b"-"
    then = _NEXT if is_option or _IN_PAIR.search(ahead) else _BESIDE if _AS_NAME.search(ahead) else None
    found = then.match(data, end) if then else None
    opening = OPENING.match(data, found.end()) if found else None
    if opening is not None and not (is_option and data.startswith(b"-", opening.end())):
        yield opening.end(), closing(data, opening.end(), len(opening[1]), opening[2]), b""


def _argument(data: bytes, end: int, name: str, says: Verdict, runs: _Runs) -> Iterator[Span]:
    """The value behind an option of a command; the one that pydantic quotes below the name of a field."""
    if name.startswith("-"):
        if space := _ARGUMENT.match(data, end):
            until = runs.end(_BARE, space.end())
            if looks_secret(data[space.end() : until]):
                yield space.end(), until, b""
        return
    near = data.find(b"input_value=", end, end + _NEAR) >= 0
    entered = _ENTERED.match(data, end, end + _NEAR) if near else None
    opening = OPENING.match(data, entered.end()) if entered else None
    if opening is not None:
        yield from _string(data, opening, name, says)


def _plain(data: bytes, behind: re.Match[bytes], name: str, says: Verdict, runs: _Runs) -> Iterator[Span]:
    """The value of a header, of a line of settings, of an argument."""
    at = behind.end()
    if lead := _LEAD.match(data, at):
        at = lead.end()
    opening = OPENING.match(data, at)
    if opening is not None:
        yield from _string(data, opening, name, says)
        return
    lowered = name.lower()
    pattern = _SIGNED_IN if "authorization" in lowered else _LINE if "cookie" in lowered else _BARE
    if behind[2].startswith(b"%"):
        pattern = _ENCODED_VALUE
    end = runs.end(pattern, at)
    if end - at < 32 and data[at:end].lower().strip(b".,;:!()[]{}|`") in _PLAIN:
        return
    if says is Verdict.YES or (end - at <= _LONGEST_LIKELY and looks_secret(data[at:end].rstrip(b".,:!)"))):
        yield at, end, b""


def _parameters(data: bytes) -> Iterator[Span]:
    """The values of the parameters of queries and forms."""
    done = 0
    first = _FIRST.match(data)
    if first is not None and (span := _parameter(data, first)):
        yield span
        done = span[1]
    for hit in hits(data, _MARKS, fold=True):
        found = _PARAMETER.match(data, hit) if hit >= done else None
        if found is not None and (span := _parameter(data, found)):
            yield span
            done = span[1]


def _parameter(data: bytes, found: re.Match[bytes]) -> Span | None:
    name = re.split(rb"[\[\]]+", found[1].rstrip(b"]"))[-1].decode("ascii", "replace")
    if is_parameter(name):
        pattern = _ENCODED_VALUE if found[2].startswith(b"%") else _QUERY_VALUE
        value = pattern.match(data, found.end())
        if value is not None and value.end() > found.end():
            return found.end(), value.end(), b""
    return None
