"""Tools that Anthropic's servers ran, as far as the usage does not count them."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from miharu.wire.json import mapping, text

__all__ = ("paid_tools", "tool_of", "tools_of")

_FREE = re.compile(r"web_fetch|tool_search|advisor|mcp|memory")
"""Paid by their tokens, which the usage has (the advisor's among its iterations)."""
_EXECUTION = re.compile(r"code_execution")
_WITH_EXECUTION = re.compile(r"web_(?:search|fetch)_(\d{8})")
_SINCE = 20260209
"""From these versions on the tools of the web run code themselves, and the execution of code is free beside
them (https://platform.claude.com/docs/en/agents-and-tools/tool-use/code-execution-tool#usage-and-pricing)."""


def tool_of(block: Any) -> str | None:
    """The tool that this block of the answer says the server ran; ``None`` for anything else."""
    block = mapping(block)
    return (text(block.get("name")) or "unnamed")[:40] if block.get("type") == "server_tool_use" else None


def tools_of(content: Any) -> Iterable[str]:
    """Each use of a server's tool in an answer."""
    for block in content if isinstance(content, list) else []:
        if tool := tool_of(block):
            yield tool


def paid_tools(uses: Mapping[str, int], usage: Any, asked: Mapping[str, Any]) -> dict[str, float]:
    """The uses that are to be paid for and that the usage leaves out, by unit."""
    found: dict[str, float] = {}
    counted = mapping(mapping(usage).get("server_tool_use"))
    for tool, times in uses.items():
        if tool == "web_search":
            unit = None if counted else "web_searches"
        elif _EXECUTION.search(tool):
            unit = None if _runs_for_free(asked) else "code_executions"
        else:
            unit = None if _FREE.search(tool) else f"tool: {tool}"
        if unit:
            found[unit] = found.get(unit, 0) + times
    return found


def _runs_for_free(asked: Mapping[str, Any]) -> bool:
    tools = asked.get("tools")
    kinds = [text(mapping(tool).get("type")) or "" for tool in tools] if isinstance(tools, list) else []
    versions = [int(found.group(1)) for kind in kinds if (found := _WITH_EXECUTION.match(kind))]
    return any(version >= _SINCE for version in versions)
