"""Whether a value meets a condition: what stores conclude without a look."""

from collections.abc import Iterable

from miharu.conditions.language import Condition, Pattern

__all__ = ("leaves_out", "meets")


def meets(condition: Condition, value: str) -> bool:
    """Whether a call with that text in the field meets it; the empty text is none."""
    if condition.operator in {"any", "none"}:
        return bool(value) is (condition.operator == "any")
    found = value in condition.values or any(_fits(pattern, value) for pattern in condition.patterns)
    return found is (condition.operator == "in")


def leaves_out(conditions: Iterable[Condition], **known: str) -> bool:
    """Whether no call that has these texts meets all conditions."""
    return any(
        not meets(condition, known[condition.field]) for condition in conditions if condition.field in known
    )


def _fits(pattern: Pattern, value: str) -> bool:
    first, *inner, last = pattern
    if len(value) < len(first) + len(last) or not (value.startswith(first) and value.endswith(last)):
        return False
    at, end = len(first), len(value) - len(last)
    for piece in inner:
        at = value.find(piece, at, end)
        if at < 0:
            return False
        at += len(piece)
    return True
