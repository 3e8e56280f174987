"""What fields, headers and query parameters that hold secrets are called."""

import re
from enum import IntEnum
from functools import lru_cache
from itertools import pairwise

__all__ = ("BENIGN", "STEMS", "Verdict", "holds_headers", "is_address", "is_parameter", "verdict")


class Verdict(IntEnum):
    """What a name says of its value."""

    NO = 0
    PERHAPS = 1
    """Such as ``key``: a secret if it looks like one."""
    YES = 2


STEMS = (
    *(b"key", b"token", b"auth", b"secret", b"pass", b"pwd", b"cred", b"cookie", b"sig", b"header"),
    b"bearer",
    *(b"jwt", b"session", b"x-amz", b"x-goog", b"url", b"connection"),
)
"""In lower case; each name of a secret contains one. Those of a query are looked for by themselves."""

_WORDS = frozenset({
    *("secret", "secrets", "password", "passwords", "passwd", "passphrase", "passcode", "pwd", "jwt"),
    *("authorization", "apikey", "apikeys", "credential", "credentials", "cookie", "cookies"),
    *("accesstoken", "authtoken", "apitoken", "refreshtoken", "idtoken", "sessiontoken", "bearertoken"),
    *("accesskey", "secretkey", "privatekey", "subscriptionkey", "accountkey", "sharedaccesskey"),
    *("sharedaccesssignature", "authkey", "authentication", "connectionstring", "clientsecret", "userpass"),
    "dbpass",
})  # fmt: skip
"""Words that mark a name wherever they stand in it."""
_ENDINGS = ("password", "passwd", "secret", "apikey", "authtoken", "accesstoken", "secretkey", "accesskey")
"""What a word of a name ends with that is such a one, as in ``PGPASSWORD`` and ``appsecret``."""
_NO_TOKEN = frozenset({
    *("next", "page", "continuation", "pagination", "start", "end", "stop", "eos", "bos", "pad", "unk"),
    *("mask", "sep", "cls", "special", "per", "image", "audio", "text", "max", "min", "first", "last"),
    "prompt",
    *("completion", "total", "cached", "reasoning", "input", "output", "sync"),
    *("decoder", "forced", "draft"),
})  # fmt: skip
"""Words before ``token`` that make it another kind of token."""
_NO_KEY = frozenset({
    *("cache", "idempotency", "primary", "foreign", "public", "publishable", "sort", "partition", "group"),
    *("dedupe", "deduplication", "routing", "object", "row", "natural", "composite", "unique", "hot"),
    *("short", "map", "lookup", "index", "column", "label", "field", "translation", "message", "query"),
    "state",
})  # fmt: skip
"""Words before ``key`` that make it another kind of key."""
_KEYS = frozenset({
    *("api", "access", "private", "secret", "subscription", "account", "signing", "master", "service"),
    *("shared", "session", "encryption", "auth", "client", "admin", "license", "licence", "ssh", "functions"),
    *("function", "app", "application", "openai", "anthropic", "azure", "gemini", "deploy", "webhook"),
    "server",
})  # fmt: skip
"""Words before ``key`` that make it a secret."""
_PERHAPS = frozenset({"key", "keys", "token", "tokens", "signature", "sig", "auth", "session", "sid", "pass"})
_PARAMETERS = frozenset({
    *("key", "token", "code", "sig", "signature", "auth", "session", "sid", "pass", "pin", "otp", "ticket"),
    *("access", "assertion", "hmac", "mac", "sessionid", "jsessionid", "phpsessid", "k", "tk", "pw"),
    *("appid", "appkey", "wskey", "ak", "sk"),
})  # fmt: skip
"""Secrets in a query or a form, in any shape."""
_SIGNED = ("x-amz-", "x-goog-")
"""What begins with these is part of a signed address."""
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

BENIGN = frozenset({
    *("type", "kind", "description", "title", "name", "format", "required", "scheme", "method", "object"),
    "in",
    *("content-type", "accept", "user-agent", "host", "accept-encoding", "content-length", "connection"),
    *("date", "server", "content-encoding", "cache-control", "vary", "transfer-encoding", "domain", "path"),
})  # fmt: skip
"""Names whose values are not secret, even among secrets."""


@lru_cache(4096)
def verdict(name: str) -> Verdict:
    """What the name of a field or a header says of its value."""
    words = [word.lower() for word in _PARTS.findall(name)]
    if not words:
        return Verdict.NO
    if _tells(words) or words[-1] == "bearer":
        return Verdict.YES
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if last in {"token", "tokens"} and before:
        return Verdict.NO if last == "tokens" or before in _NO_TOKEN else Verdict.YES
    if last in {"key", "keys"} and before:
        return Verdict.YES if before in _KEYS else Verdict.NO if before in _NO_KEY else Verdict.PERHAPS
    if name.lower().startswith(_SIGNED):
        return Verdict.YES if last in {"signature", "credential"} else Verdict.PERHAPS
    return Verdict.PERHAPS if last in _PERHAPS and last != "tokens" else Verdict.NO


def _tells(words: list[str]) -> bool:
    """Whether one of them, or two together, say for certain that it is a secret."""
    return (
        not _WORDS.isdisjoint(words)
        or not _WORDS.isdisjoint(map("".join, pairwise(words)))
        or any(word.endswith(_ENDINGS) for word in words)
    )


@lru_cache(4096)
def is_parameter(name: str) -> bool:
    """Whether a query parameter, or a field of a form, of that name holds a secret."""
    lowered = name.lower()
    return (
        lowered in _PARAMETERS
        or lowered.startswith(_SIGNED)
        or verdict(name) is Verdict.YES
        or (verdict(name) is Verdict.PERHAPS and not lowered.endswith("s"))
    )


@lru_cache(1024)
def holds_headers(name: str) -> bool:
    """Whether an object of that name holds headers, or what one signs in with."""
    words = [word.lower() for word in _PARTS.findall(name)]
    return bool(words) and (words[-1] in {"headers", "header", "auth"} or verdict(name) is Verdict.YES)


@lru_cache(1024)
def is_address(name: str) -> bool:
    """Whether a field of that name is an address that may be a secret itself, as those of MCP servers are."""
    words = [word.lower() for word in _PARTS.findall(name)]
    return words[-1:] == ["url"] and bool({"server", "webhook", "connector", "callback", "hook"} & set(words))
