"""What keys and tokens look like, wherever they stand."""

import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator

from miharu.redaction.slices import hits

__all__ = ("is_suspicious", "shaped")

_MIXED = rb"(?=[\w-]*?[0-9A-Z])"
"""Words with hyphens between them are not a key."""
_TOKENS: dict[bytes, bytes] = {
    b"sk-": _MIXED + rb"[\w-]{16,}+",
    b"sk_live_": rb"\w{8,}+",
    b"sk_test_": rb"\w{8,}+",
    b"rk_live_": rb"\w{8,}+",
    b"rk_test_": rb"\w{8,}+",
    b"sk_": rb"[a-f0-9]{32,}+",
    b"whsec_": rb"[\w+/=]{12,}+",
    b"AIza": rb"[\w-]{16,}+",
    b"ghp_": rb"\w{16,}+",
    b"gho_": rb"\w{16,}+",
    b"ghu_": rb"\w{16,}+",
    b"ghs_": rb"\w{16,}+",
    b"ghr_": rb"\w{16,}+",
    b"github_pat_": rb"\w{16,}+",
    b"hf_": _MIXED + rb"\w{16,}+",
    b"api_org_": rb"\w{16,}+",
    b"gsk_": rb"\w{16,}+",
    b"xai-": _MIXED + rb"[\w-]{16,}+",
    b"pplx-": _MIXED + rb"[\w-]{16,}+",
    b"r8_": rb"\w{16,}+",
    b"AQ.": rb"[\w-]{30,}+",
    b"dapi": rb"[a-f0-9]{32,}+",
    b"ek_": rb"[A-Za-z0-9]{24,}+",
    b"rpa_": rb"[A-Z0-9]{20,}+",
    b"vck_": rb"\w{20,}+",
    b"fc-": rb"[a-f0-9]{32,}+",
    b"nvapi-": rb"[\w-]{16,}+",
    b"csk-": _MIXED + rb"[\w-]{16,}+",
    b"fw_": rb"[A-Za-z0-9]{16,}+",
    b"tgp_v1_": rb"[\w-]{16,}+",
    b"tvly-": rb"[\w-]{12,}+",
    b"jina_": rb"\w{16,}+",
    b"lsv2_": rb"\w{16,}+",
    b"ABSK": rb"[\w+/=]{30,}+",
    b"bedrock-api-key-": rb"[\w+/=-]{16,}+",
    b"AKIA": rb"[A-Z0-9]{12,}+",
    b"ASIA": rb"[A-Z0-9]{12,}+",
    b"ya29.": rb"[\w.-]{12,}+",
    b"GOCSPX-": rb"[\w-]{12,}+",
    b"1//0": rb"[\w-]{20,}+",
    b"glpat-": rb"[\w.-]{12,}+",
    b"gldt-": rb"[\w.-]{12,}+",
    b"glrt-": rb"[\w.-]{12,}+",
    b"glptt-": rb"[\w.-]{12,}+",
    b"glsa_": rb"\w{20,}+",
    b"ATATT": rb"[\w=-]{20,}+",
    b"sntrys_": rb"[\w+/=]{20,}+",
    b"sntryu_": rb"\w{20,}+",
    b"xox": rb"[a-z]-[\w-]{8,}+",
    b"xapp-": rb"[\w-]{12,}+",
    b"SG.": rb"[\w-]{16,}+\.[\w-]{16,}+",
    b"npm_": rb"[A-Za-z0-9]{30,}+",
    b"pypi-": rb"[\w-]{40,}+",
    b"dop_v1_": rb"\w{16,}+",
    b"shpat_": rb"\w{16,}+",
    b"shpss_": rb"\w{16,}+",
    b"lin_api_": rb"\w{16,}+",
    b"ntn_": rb"\w{30,}+",
    b"figd_": rb"[\w-]{16,}+",
    b"dckr_pat_": rb"[\w-]{16,}+",
    b"sb_secret_": rb"[\w-]{12,}+",
    b"sbp_": rb"[a-f0-9]{20,}+",
    b"hvs.": rb"[\w-]{16,}+",
    b"AGE-SECRET-KEY-1": rb"[A-Z0-9]{16,}+",
    b"eyJ": rb"[\w-]{6,}+\.[\w-]{4,}+(?:\.[\w-]*+){0,3}+",
    b"hooks.slack.com/": rb"(?:services|workflows|triggers)/[^\s\"'<>\\]++",
    b"discord.com/api/webhooks/": rb"[^\s\"'<>\\]++",
    b"discordapp.com/api/webhooks/": rb"[^\s\"'<>\\]++",
    b"api.telegram.org/": rb"(?:file/)?bot\d++:[\w-]{16,}+",
}
"""What they begin with, and what has to follow. Where the beginning is a host, the host itself is kept."""
_HOSTS = (
    *(b"hooks.slack.com/", b"discord.com/api/webhooks/", b"discordapp.com/api/webhooks/"),
    b"api.telegram.org/",
)
_GAP = rb"(?:[ \t]|%20|\+|\\++u0020){1,4}+"
_VALUE = rb"((?:[A-Za-z0-9_\-.~+/=:]|%[0-9a-fA-F]{2}|\\++(?:u00[0-9a-fA-F]{2}|/))++)"
_SCHEMES: dict[bytes, bytes] = dict.fromkeys((b"earer", b"EARER", b"asic", b"ASIC"), _GAP + _VALUE)
_USERINFO: dict[bytes, bytes] = {
    b"://": rb"([^\s\"'<>\\/?#]{1,512}@|"
    rb"[^\s\"'<>\\/?#:@]{1,64}+:(?!\d{1,5}(?:[/?#]|$))[^\s\"'<>\\@]{0,256}+@)",
    rb":\/\/": rb"([^\s\"'<>\\/?#]{1,512}@)",
    rb":\\/\\/": rb"([^\s\"'<>\\/?#]{1,512}@)",
    b"%3A%2F%2F": rb"([\w.~%+!$-]{1,512}?%40)",
    b"%3a%2f%2f": rb"([\w.~%+!$-]{1,512}?%40)",
}
_PEM = re.compile(rb"[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_PEM_BODY = re.compile(rb"(?:[A-Za-z0-9+/=\s:,.]|-(?!----)|\\++(?:[nrt/]|u000[aAdD]))*+")

_COMPILED = {begin: re.compile(follow) for begin, follow in (_TOKENS | _SCHEMES | _USERINFO).items()}
_BEGINNINGS = (*_COMPILED, b"-----BEGIN")


def _any_of(words: Iterable[str]) -> str:
    """A pattern of these words by their first letters: it looks at each place three times as quickly."""
    by_first: dict[str, list[str]] = {}
    for word in words:
        by_first.setdefault(word[:1], []).append(word[1:])
    if "" in by_first:  # one of them ends here, and is enough
        return ""
    return "(?:" + "|".join(re.escape(first) + _any_of(rest) for first, rest in by_first.items()) + ")"


_ANY = re.compile(_any_of(begin.decode() for begin in _BEGINNINGS))


def is_suspicious(text: str) -> bool:
    """Whether the text may hold a key or token: a quick look, since most texts hold none."""
    return _ANY.search(text) is not None


def shaped(data: bytes) -> Iterator[tuple[int, int]]:
    """Start and end of each key or token."""
    done = 0
    for hit in hits(data, _BEGINNINGS):
        if hit < done:
            continue
        for begin in _beginning_at(data, hit):
            span = _KINDS.get(begin, _token)(data, hit, begin)
            if span is not None:
                done = span[1]
                yield span
                break


def _beginning_at(data: bytes, at: int) -> Iterator[bytes]:
    head = data[at : at + _LONGEST]
    return (begin for begin in _BY_FIRST.get(head[:1], ()) if head.startswith(begin))


def _token(data: bytes, at: int, begin: bytes) -> tuple[int, int] | None:
    # the cheap look first: each run of letters is then read from its beginning alone
    found = _COMPILED[begin].match(data, at + len(begin)) if _begins(data, at) else None
    if found is None:
        return None
    return at + len(begin) if begin in _HOSTS else at, found.end()


def _begins(data: bytes, at: int) -> bool:
    """Whether no word goes on here: neither before it nor, in an escape, in what only looks like a letter."""
    before = data[max(0, at - 6) : at]
    if not before or not (before[-1:].isalnum() or before[-1:] in b"_-"):
        return True
    return _ESCAPED.search(before) is not None


_ESCAPED = re.compile(rb"(?:\\[nrtbf]|%[0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4})\Z")


def _after_scheme(data: bytes, at: int, begin: bytes) -> tuple[int, int] | None:
    """What follows ``Bearer`` or ``Basic``, unless it is the next word of a sentence."""
    found = _COMPILED[begin].match(data, at + len(begin))
    if found is None:
        return None
    value = found[1].rstrip(b".,:;")
    if begin.lower() == b"asic":
        return found.span(1) if _is_basic(value) else None
    has_digit = any(0x30 <= byte <= 0x39 for byte in value[:64])
    return found.span(1) if (len(value) >= 8 and has_digit) or len(value) >= 20 else None


def _is_basic(value: bytes) -> bool:
    try:
        return b":" in b64decode(
            value[:400].rstrip(b"=")[: len(value[:400].rstrip(b"=")) // 4 * 4], validate=True
        )
    except ValueError:
        return False


def _userinfo(data: bytes, at: int, begin: bytes) -> tuple[int, int] | None:
    found = _COMPILED[begin].match(data, at + len(begin))
    return None if found is None else (found.start(1), found.end(1) - (3 if begin[:1] == b"%" else 1))


def _private_key(data: bytes, at: int, begin: bytes) -> tuple[int, int] | None:
    head = _PEM.match(data, at + len(begin))
    if head is None:
        return None
    body = _PEM_BODY.match(data, head.end())
    return head.end(), body.end() if body else head.end()


_KINDS: dict[bytes, Callable[[bytes, int, bytes], tuple[int, int] | None]] = {
    **dict.fromkeys(_SCHEMES, _after_scheme),
    **dict.fromkeys(_USERINFO, _userinfo),
    b"-----BEGIN": _private_key,
}
_LONGEST = max(map(len, _BEGINNINGS))
_BY_FIRST: dict[bytes, tuple[bytes, ...]] = {
    first: tuple(sorted((begin for begin in _BEGINNINGS if begin[:1] == first), key=len, reverse=True))
    for first in {begin[:1] for begin in _BEGINNINGS}
}
