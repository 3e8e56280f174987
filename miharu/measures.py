"""What a reader names beside the provider's own usage object: quantities, and the terms of the price.

Both are kept in ``usage_raw`` under one name of ours, so that a price can be worked out again later:
``{"input_tokens": 9, "miharu": {"quantities": {"web_searches": 2}, "terms": {"location": "global"}}}``.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from miharu.call import Usage

__all__ = ("KEY", "named_in", "raw_of", "with_named")

KEY = "miharu"
"""The name in ``usage_raw`` that no provider uses."""


def raw_of(usage: Usage) -> dict[str, Any]:
    """The usage object; empty where there is none to read. A list is found under ``list``."""
    try:
        raw = json.loads(usage.usage_raw) if usage.usage_raw else None
    except (ValueError, RecursionError):
        return {}
    if isinstance(raw, list):
        return {"list": raw}
    return raw if isinstance(raw, dict) else {}


def with_named(usage: Usage, quantities: Mapping[str, float], terms: Mapping[str, str]) -> Usage:
    """The usage with what was named beside it; the same one where that is nothing."""
    if not quantities and not terms:
        return usage
    named = {
        name: value
        for name, value in (
            ("quantities", {unit: count for unit, count in quantities.items() if count}),
            ("terms", dict(terms)),
        )
        if value
    }
    if not named or (usage.usage_raw is None and usage.prompt_tokens is None and not quantities):
        return usage  # of what used nothing the terms do not matter
    text = json.dumps({**raw_of(usage), KEY: named}, separators=(",", ":"), ensure_ascii=False)
    return replace(usage, usage_raw=text)


def named_in(raw: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The quantities and the terms that were named."""
    named = raw.get(KEY)
    quantities, terms = (
        named.get(part) if isinstance(named, dict) else None for part in ("quantities", "terms")
    )
    return (
        quantities if isinstance(quantities, dict) else {},
        terms if isinstance(terms, dict) else {},
    )
