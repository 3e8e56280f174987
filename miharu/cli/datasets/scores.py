"""``--score helpful>=0.8``: calls that were rated so, themselves or by their trace."""

import argparse
import math
import operator
import re
from collections.abc import Callable, Sequence

from miharu.batch import Score

__all__ = ("Condition", "condition")

Condition = Callable[[Sequence[Score]], bool]
_SIGNS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
}
_WORDS = {"true": 1.0, "false": 0.0}
_FORM = re.compile(r"(.+?)(>=|<=|!=|>|<|=)([^<>=!]+)")


def condition(text: str) -> Condition:
    """Whether the newest score of that name is such.

    Raises:
        argparse.ArgumentTypeError: It is not a name, a comparison and a number.
    """
    found = _FORM.fullmatch(text.strip())
    value = _number(found[3].strip().lower()) if found else math.nan
    if found is None or math.isnan(value):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a condition: give a name, one of {' '.join(_SIGNS)}, and a number, such as "
            "helpful>=0.8"
        )
    name, holds = found[1].strip(), _SIGNS[found[2]]

    def is_met(scores: Sequence[Score]) -> bool:
        values = [score.value for score in scores if score.name == name]
        return bool(values) and holds(values[-1], value)

    return is_met


def _number(text: str) -> float:
    try:
        return _WORDS[text] if text in _WORDS else float(text)
    except ValueError:
        return math.nan
