"""Searches and maps that Gemini's answers were grounded on, at fees of their own.

How many of them are billed depends on the model (``pricing/billing/fees.py``); here they are counted.
https://ai.google.dev/gemini-api/docs/google-search, https://ai.google.dev/gemini-api/docs/maps-grounding
"""

from collections.abc import Mapping
from typing import Any

from miharu.wire.json import count, mapping, text

__all__ = ("Grounding", "tool_counts")

_OTHER_SOURCES = {"retrieval", "enterpriseWebSearch", "parallelAiSearch", "exaAiSearch", "googleMaps"}
"""Tools of a request whose grounding costs something else than Google's search."""
_STEPS = {"google_maps_call": "maps_groundings", "retrieval_call": "retrievals"}
_FREE_STEPS = {"google_search_call", "url_context_call", "file_search_call", "code_execution_call"}
_FREE_STEPS |= {
    "function_call",
    "mcp_server_tool_call",
    "tool_search_call",
    "processing_call",
    "computer_use_call",
}
_TOOLS = {"google_maps": "maps_groundings", "retrieval": "retrievals"}


class Grounding:
    """What the chunks of a stream have told so far."""

    def __init__(self) -> None:
        self._queries: set[str] = set()
        self._images: set[str] = set()
        self._found: set[str] = set()
        """The kinds of sources that were found."""
        self._seen = False

    def add(self, metadata: Any) -> None:
        """Take in the grounding of one candidate."""
        metadata = mapping(metadata)
        if not metadata:
            return
        self._seen = True
        self._queries |= _words(metadata.get("webSearchQueries"))
        self._images |= _words(metadata.get("imageSearchQueries"))
        chunks = metadata.get("groundingChunks")
        for chunk in chunks if isinstance(chunks, list) else []:
            self._found |= {str(kind) for kind, source in mapping(chunk).items() if isinstance(source, dict)}
        if metadata.get("googleMapsWidgetContextToken"):
            self._found.add("maps")
        if metadata.get("retrievalQueries"):
            self._found.add("retrievedContext")

    def quantities(self, asked: Mapping[str, Any]) -> dict[str, float]:
        """What is to be paid for, by unit.

        Args:
            asked: The request, which names the tools: one that grounds on something else searches there.
        """
        tools = asked.get("tools")
        named = {str(name) for tool in (tools if isinstance(tools, list) else []) for name in mapping(tool)}
        named |= {
            "".join(part.title() if at else part for at, part in enumerate(n.split("_"))) for n in named
        }
        found: dict[str, float] = {}
        if self._queries:
            found["google_search_queries"] = len(self._queries)
            if "web" in self._found:
                found["google_search_prompts"] = 1
        if self._images:
            found["image_searches"] = len(self._images)
        if named & {"fileSearch"}:
            self._found.discard("retrievedContext")  # the Gemini API's own files, which are searched for free
        for kind in sorted(self._found - {"web"}):
            found[f"groundings: {kind}"[:60]] = 1
        if self._seen and (self._queries or self._found) and (other := _OTHER_SOURCES & named):
            found[f"groundings: {min(other)}"] = 1
        return found


def tool_counts(usage: Any, steps: Any) -> dict[str, float]:
    """What an interaction's tools are to be paid for: by its usage, and by the steps that it took."""
    found: dict[str, float] = {}
    counted: int | None = None
    listed = mapping(usage).get("grounding_tool_count")
    for entry in listed if isinstance(listed, list) else []:
        kind, number = text(mapping(entry).get("type")) or "unnamed", count(entry, "count") or 0
        if kind == "google_search":
            counted = (counted or 0) + number
        elif number:
            found[_TOOLS.get(kind, f"groundings: {kind}"[:60])] = number
    queries: set[str] = set()
    for step in map(mapping, steps if isinstance(steps, list) else []):
        kind = text(step.get("type")) or ""
        if kind == "google_search_call":
            queries |= _words(mapping(step.get("arguments")).get("queries"))
        elif kind.endswith("_call") and kind not in _FREE_STEPS:
            found.setdefault(_STEPS.get(kind, f"tool: {kind}"[:60]), 1)
    if counted and queries and counted != len(queries):
        found["unknown: searches that do not agree"] = counted
    if counted or queries:
        found["google_search_queries"] = len(queries) or counted or 0
        found["google_search_prompts"] = 1
    return found


def _words(value: Any) -> set[str]:
    """The different queries; empty ones are not billed."""
    return (
        {word for word in value if isinstance(word, str) and word.strip()}
        if isinstance(value, list)
        else set()
    )
