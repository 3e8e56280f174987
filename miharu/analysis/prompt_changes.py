"""What is different between two versions of a prompt: lines of what the system says, and tools."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import islice
from typing import Any, Literal

from miharu.call import Call
from miharu.providers.base import Provider
from miharu.providers.bodies.formats import format_of, shape_of
from miharu.providers.bodies.objects import request_of
from miharu.providers.fixed import Fixed, Fixes, name_of_tool, texts_of

__all__ = ("Line", "PromptChange", "change", "fixed_part")

LINES, LONGEST_LINE = 400, 500
"""Of a version that are compared, and characters of one that are shown."""
SHOWN = 60
"""Lines of a difference."""
_TOOLS = 100


@dataclass(frozen=True, slots=True)
class Line:
    """A line that was taken out, was put in, or stands around these."""

    kind: Literal["out", "in", "same", "gap"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptChange:
    """From one version to the next."""

    lines: int
    """Of what the system says, that were taken out or put in, whichever are more in each place."""
    added: Sequence[str]
    """Tools, by their names."""
    removed: Sequence[str]
    altered: Sequence[str]
    """Tools that are defined in another way."""
    shown: Sequence[Line]
    left_out: int
    """Lines of the difference that are not shown."""


def fixed_part(call: Call, own: Sequence[Provider] = ()) -> Fixed | None:
    """The fixed part of a call with its body; ``None`` where that is not kept, or not told by its format.

    Args:
        call: With its body.
        own: Wire formats that the program has brought.
    """
    try:
        request, cut = request_of(call)
        form = format_of(call.api, own) or shape_of(request)
        if cut or not isinstance(form, Fixes):
            return None
        return form.fixed(request) or None
    except Exception:  # noqa: BLE001 - these bytes are not trusted; that it has changed is still known
        return None


def change(before: Fixed, after: Fixed) -> PromptChange:
    """What is different."""
    old, new = _tools(before), _tools(after)
    both = [name for name in new if name in old and new[name] != old[name]]
    lines, difference = _differing(list(_lines(before)), list(_lines(after)))
    for name in both:
        difference.append(Line("gap", f"tool {name}"))
        difference += _differing(old[name].splitlines()[:LINES], new[name].splitlines()[:LINES])[1]
    return PromptChange(
        lines=lines,
        added=[name for name in new if name not in old],
        removed=[name for name in old if name not in new],
        altered=both,
        shown=difference[:SHOWN],
        left_out=max(0, len(difference) - SHOWN),
    )


def _lines(fixed: Fixed) -> Iterator[str]:
    return islice((line for text in texts_of(fixed) for line in text.splitlines()), LINES)


def _tools(fixed: Fixed) -> Mapping[str, str]:
    """The definition of each tool, as lines of JSON."""
    found: dict[str, str] = {}
    for number, tool in enumerate(fixed.tools[:_TOOLS], 1):
        found[name_of_tool(tool) or f"number {number}"] = _written(tool)
    return found


def _written(tool: Any) -> str:
    return json.dumps(tool, ensure_ascii=False, indent=1, sort_keys=True)


def _differing(old: list[str], new: list[str]) -> tuple[int, list[Line]]:
    """How many lines differ, and these with a line before and after."""
    found: list[Line] = []
    number = last = 0
    for tag, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        number += max(j - i, m - k)
        if i > last and found:
            found.append(Line("gap", ""))
        found += [Line("same", _cut(line)) for line in old[max(last, i - 1) : i]]
        found += [Line("out", _cut(line)) for line in old[i:j]]
        found += [Line("in", _cut(line)) for line in new[k:m]]
        last = j
    return number, found


def _cut(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…"
