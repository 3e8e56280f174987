"""The bounds of a call: counts, money and times that are possible, and texts that a page can show.

Providers, gateways and servers that answer in their place may report any number. A sum has 64 bits, and each
bound leaves room for ten million calls at it: 10**7 x 9 x 10**11 is less than 2**63.
"""

import json
from dataclasses import fields, replace
from hashlib import blake2b
from operator import attrgetter
from typing import Any

from miharu.call import Call, Cost, Outcome, Usage

__all__ = (
    "AHEAD_MS",
    "BOUNDS",
    "EARLIEST_MS",
    "LONGEST",
    "LONGEST_MESSAGE",
    "MOST_MS",
    "MOST_NANOUSD",
    "MOST_TOKENS",
    "believed",
    "bounded",
    "is_recent",
    "payable",
)

MOST_TOKENS = 10**9
"""Tokens of a kind in one call: a hundred times the largest context that there is."""
MOST_NANOUSD = 9 * 10**11
"""What one call may cost, 900 USD: more than the largest context and answer of the dearest model."""
MOST_MS = 31 * 86_400_000
"""A month: background calls and batches end within days."""
EARLIEST_MS = 1_420_070_400_000
"""2015, in Unix milliseconds: no provider is older."""
AHEAD_MS = 86_400_000
"""How far the clock of another machine, or one that is set to its local time, may be ahead."""
LONGEST = 500
"""Characters of a text that a provider sends, such as a model's name."""
LONGEST_MESSAGE = 2000
"""Of an error's."""
LONGEST_RAW = 16_000
"""Of the provider's own usage object, and of other JSON."""

_COUNTS = tuple(field.name for field in fields(Usage) if field.name.endswith("_tokens"))
_counts_of = attrgetter(*_COUNTS)
BOUNDS = {
    **dict.fromkeys((*_COUNTS, "cache_missed_tokens"), MOST_TOKENS),
    **dict.fromkeys(("cost_nanousd", "cache_missed_nanousd"), MOST_NANOUSD),
    **dict.fromkeys(("duration_ms", "ttft_ms", "retry_after_ms"), MOST_MS),
}
"""The largest value of each column that is summed or compared; the smallest is zero."""
_NAMES = ("host", "model", "request_model", "provider", "response_id", "request_id", "host_request_id")
"""Columns that tell calls apart."""
_TEXTS = (
    *((name, LONGEST) for name in ("sdk", "finish_reason", "service_tier")),
    ("rate_limit", LONGEST_RAW),
)
_SELDOM = ("ttft_ms", "cache_missed_tokens", "cache_missed_nanousd")
"""Numbers that few calls have."""
_seldom_of = attrgetter(*_SELDOM)
_short_of = attrgetter(*_NAMES, *(name for name, most in _TEXTS if most == LONGEST))


def is_recent(timestamp: int, now: float) -> bool:
    """Whether a call that another machine has seen can have begun then (Unix milliseconds, and seconds)."""
    return EARLIEST_MS <= timestamp <= now * 1000 + AHEAD_MS


def bounded(call: Call) -> Call:
    """The call with what can be believed of it; the very same, where that is all."""
    changed: dict[str, Any] = {} if _is_plain(call) else _shortened(call)
    if any(_seldom_of(call)):  # a zero is possible
        for name, value in zip(_SELDOM, _seldom_of(call), strict=True):
            if value is not None and not 0 <= value <= BOUNDS[name]:
                changed[name] = None
    if not 0 <= call.duration_ms <= MOST_MS:
        changed["duration_ms"] = min(max(call.duration_ms, 0), MOST_MS)
    if (usage := _usage(call.usage)) is not call.usage:
        changed["usage"] = usage
    if (cost := payable(call.cost)) is not call.cost:
        changed["cost"] = cost
    if (outcome := _outcome(call.outcome)) is not call.outcome:
        changed["outcome"] = outcome
    return replace(call, **changed) if changed else call


def _is_plain(call: Call) -> bool:
    """Whether its texts are short even together, and of plain characters: those of nearly every call are."""
    texts, limits = "".join(filter(None, _short_of(call))), call.rate_limit or ""
    return (
        len(texts) <= LONGEST
        and len(limits) <= LONGEST_RAW
        and (both := texts + limits).isascii()
        and "\0" not in both
    )


def _shortened(call: Call) -> dict[str, str]:
    changed = dict[str, str]()
    for name in _NAMES:
        text = getattr(call, name)
        if text is not None and (kept := _name(text)) is not text:
            changed[name] = kept
    for name, most in _TEXTS:
        text = getattr(call, name)
        if text is not None and (kept := _text(text, most)) is not text:
            changed[name] = kept
    return changed


def payable(cost: Cost | None) -> Cost | None:
    """The cost, unless no call can cost that."""
    return cost if cost is None or 0 <= cost.cost_nanousd <= MOST_NANOUSD else None


def believed(usage: Usage) -> Usage:
    """The same of usage as a provider reports it; an object that is too large is kept in part, as JSON."""
    raw = usage.usage_raw
    if raw is not None and len(raw) > LONGEST_RAW:
        usage = replace(usage, usage_raw=json.dumps({"cut_off": raw[: LONGEST_RAW // 4]}))
    return _usage(usage)


def _usage(usage: Usage) -> Usage:
    """Where one count cannot be, none of them is believed; what the provider said is kept."""
    raw = usage.usage_raw if usage.usage_raw is None else _text(usage.usage_raw, 2 * LONGEST_RAW)
    counts = [*filter(None, _counts_of(usage))]  # a zero is nothing that could not be
    if counts and not (min(counts) >= 0 and max(counts) <= MOST_TOKENS):
        return Usage(usage_raw=raw)
    return usage if raw is usage.usage_raw else replace(usage, usage_raw=raw)


def _outcome(outcome: Outcome) -> Outcome:
    if outcome.error_type is None and outcome.error_message is None and outcome.retry_after_ms is None:
        return outcome
    changed: dict[str, Any] = {}
    for name, most in (("error_type", LONGEST), ("error_message", LONGEST_MESSAGE)):
        text = getattr(outcome, name)
        if text is not None and (kept := _text(text, most)) is not text:
            changed[name] = kept
    if outcome.retry_after_ms is not None and not 0 <= outcome.retry_after_ms <= MOST_MS:
        changed["retry_after_ms"] = None
    return replace(outcome, **changed) if changed else outcome


def _name(text: str) -> str:
    """The same; two that only differ behind the bound are still told apart."""
    if len(text) > LONGEST:
        digest = blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest()
        text = f"{text[: LONGEST - 17]}…{digest}"
    return _text(text, LONGEST)


def _text(text: str, most: int) -> str:
    """The text, shortened, and with a sign in place of what is none: half a character, a NUL."""
    if len(text) > most:
        text = text[: most - 1] + "…"
    if text.isascii() and "\0" not in text:
        return text
    clean = text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    return text if clean == text else clean
