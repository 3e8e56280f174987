"""What an error message says without its numbers and ids: the same failure has the same skeleton."""

import re

__all__ = ("skeleton",)

_LONGEST = 400
_RULES = (
    (re.compile(r"https?://[^\s'\"<>)]+"), "URL"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE), "ID"),
    (re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"), "TIME"),
    # eight or more letters and figures mixed, with or without a word before them: req_011CT…, org-a1B2…;
    # figures with a unit behind them are a number
    (
        re.compile(
            r"\b(?:[A-Za-z]{2,8}[-_])?(?=[A-Za-z]*\d)(?=\d*(?:[A-Za-z]{3}|[A-Za-z]+\d))[A-Za-z\d]{8,}\b"
        ),
        "ID",
    ),
    (re.compile(r"(?<![\w.-])\d[\d,_.]*\d|(?<![\w.-])\d"), "N"),
    (re.compile(r"\s+"), " "),
)


def skeleton(message: str | None) -> str:
    """The skeleton, short enough for a line; empty without a message.

    Names of models keep their figures: they are joined by hyphens and shorter than ids, and which model
    failed is worth knowing.
    """
    text = (message or "")[: 4 * _LONGEST]
    for pattern, word in _RULES:
        text = pattern.sub(word, text)
    return text.strip()[:_LONGEST]
