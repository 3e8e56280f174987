"""What Bedrock is paid for beside tokens, and when a token has a price of its own."""

from collections.abc import Mapping
from typing import Any

from miharu.providers.base import Reading, Wire
from miharu.wire.json import mapping, text

__all__ = ("guardrails", "latency", "system_tools")

_LATENCY = "x-amzn-bedrock-performanceconfig-latency"
_GUARDRAIL = "x-amzn-bedrock-guardrailidentifier"


def latency(wire: Wire, answer: Mapping[str, Any] | None = None) -> dict[str, str]:
    """``optimized`` where the call was served so, which has prices of its own.

    The answer says how it was served; where it says nothing, the request what was asked for
    (https://docs.aws.amazon.com/bedrock/latest/userguide/latency-optimized-inference.html).
    """
    holders = (answer or {}, wire.asked)
    stated = [
        wire.headers.get(_LATENCY),
        *(mapping(h.get("performanceConfig")).get("latency") for h in holders),
    ]
    stated.append(wire.request_headers.get(_LATENCY))
    served = next((value for value in map(text, stated) if value), "standard")
    return {} if served == "standard" else {"latency": served}


def guardrails(wire: Wire, reading: Reading) -> dict[str, float]:
    """One guardrail where the call went through one; it is paid by units of text that few answers tell of."""
    asked = mapping(wire.asked.get("guardrailConfig")) or wire.request_headers.get(_GUARDRAIL)
    stopped = reading.finish_reason == "guardrail_intervened"
    return {"guardrails": 1} if asked or stopped else {}


def system_tools(answer: Mapping[str, Any]) -> dict[str, float]:
    """Tools that Bedrock itself ran, such as Nova's search of the web."""
    content = mapping(mapping(answer.get("output")).get("message")).get("content")
    blocks = (
        [mapping(mapping(block).get("toolUse")) for block in content] if isinstance(content, list) else []
    )
    ran = [
        (text(block.get("name")) or "unnamed")[:40]
        for block in blocks
        if block.get("type") == "server_tool_use"
    ]
    return {f"tool: {name}": ran.count(name) for name in ran}
