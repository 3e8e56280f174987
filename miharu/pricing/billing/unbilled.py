"""Calls that were answered and are not billed."""

from miharu.call import Call
from miharu.pricing.billing.bill import Bill

__all__ = ("unbilled",)

_MARKS = ("billed", "is_billed", "billable", "is_billable")


def unbilled(call: Call, bill: Bill) -> str | None:
    """Why the call costs nothing, as a ``cost_source``; ``None`` where it is billed."""
    if any(bill.raw.get(mark) is False for mark in _MARKS) or bill.terms.get("billed") == "no":
        return "not-billed:provider"
    only_tokens = all(unit.endswith("_tokens") for used in bill.used for unit in used.quantities)
    if is_refusal(call) and call.provider == "anthropic" and len(bill.used) == 1 and only_tokens:
        return "not-billed:refusal"
    return None


def is_refusal(call: Call) -> bool:
    """Whether Claude refused before it said anything, which Anthropic does not bill.

    https://platform.claude.com/docs/en/release-notes/overview (2 June 2026)
    """
    is_claude = call.api.startswith("anthropic.") or "claude" in (call.model or "")
    return is_claude and call.finish_reason == "refusal" and not call.usage.completion_tokens
