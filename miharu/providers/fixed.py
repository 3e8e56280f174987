"""The fixed part of a request: what the program says in each of its calls, and the tools that it offers.

By it calls are grouped (``recorder/reading/prompts.py``), and of two versions of it a page shows what is
different. Each format says where it stands; marks that only say what to cache are not part of it.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol, runtime_checkable

__all__ = (
    "Fixed",
    "Fixes",
    "first_words",
    "fixed_beside",
    "fixed_in_messages",
    "leading",
    "name_of_tool",
    "texts_of",
)

_FIRST_ROLES = frozenset(("system", "developer"))
_MARKS = ("cache_control", "cachePoint")
LONGEST_WORDS = 60
"""Characters of the first words of a prompt."""


class Fixed(NamedTuple):
    """What stands in a request whatever the question is, as it stands there."""

    system: tuple[Any, ...] = ()
    """Texts, and parts of other kinds."""
    tools: tuple[Any, ...] = ()
    """Their definitions."""

    def __bool__(self) -> bool:
        return bool(self.system or self.tools)


@runtime_checkable
class Fixes(Protocol):
    """A wire format that tells the fixed part of a request."""

    def fixed(self, request: Mapping[str, Any]) -> Fixed:
        """Tell it.

        Args:
            request: Its JSON object, which is not trusted.
        """
        ...


def fixed_in_messages(request: Mapping[str, Any]) -> Fixed:
    """Of a format whose first messages are what the system says."""
    return Fixed(leading(request.get("messages")), _listed(request.get("tools") or request.get("functions")))


def fixed_beside(request: Mapping[str, Any], *names: str) -> Fixed:
    """Of a format that has it in fields of those names, beside the messages."""
    system = [part for name in names for part in _listed(request.get(name))]
    return Fixed(tuple(system), _listed(request.get("tools")))


def leading(messages: Any) -> tuple[Any, ...]:
    """What the system says before the first message of another role."""
    said: list[Any] = []
    for one in messages if isinstance(messages, list) else ():
        role = one.get("role") if isinstance(one, dict) else None
        if not isinstance(role, str) or role not in _FIRST_ROLES:
            break
        said += _listed(one.get("content"))
    return tuple(said)


def texts_of(fixed: Fixed) -> Iterator[str]:
    """The texts of what the system says."""
    for part in fixed.system:
        text = part.get("text") if isinstance(part, dict) else part
        if isinstance(text, str) and text.strip():
            yield text


def first_words(fixed: Fixed) -> str | None:
    """How what the system says begins; where it says nothing, the first tools."""
    text = next(texts_of(fixed), None)
    if text is not None:
        words = " ".join(text[: 8 * LONGEST_WORDS].split())
    else:
        names = [name for tool in fixed.tools[:8] if (name := name_of_tool(tool))]
        words = f"tools: {', '.join(names)}" if names else ""
    if len(words) <= LONGEST_WORDS:
        return words or None
    cut = words[:LONGEST_WORDS]
    return f"{cut.rpartition(' ')[0] or cut}…"


def name_of_tool(tool: Any) -> str | None:
    """The name of a tool; of one that the provider runs, its type."""
    if not isinstance(tool, dict):
        return None
    for holder in (tool, tool.get("function"), tool.get("toolSpec")):
        if isinstance(holder, dict) and isinstance(name := holder.get("name"), str):
            return name
    kind = tool.get("type")
    return kind if isinstance(kind, str) else None


def _listed(value: Any) -> tuple[Any, ...]:
    """The parts of a list, or the only one, without marks that say what to cache."""
    if not value:
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, dict):
        value = value.get("parts") or [value]  # Google's content, or a single part
    if not isinstance(value, list):
        return ()
    return tuple(_unmarked(part) for part in value if part and not _is_mark(part))


def _is_mark(part: Any) -> bool:
    return isinstance(part, dict) and len(part) == 1 and "cachePoint" in part


def _unmarked(part: Any) -> Any:
    if not isinstance(part, dict) or "cache_control" not in part:
        return part
    return {name: value for name, value in part.items() if name not in _MARKS}
