"""An agent with two tools: it looks the order up, asks the carrier for the parcel, and answers."""

import json
from typing import TYPE_CHECKING, Any

import anyio

import miharu
from miharu.cli.demo.visit import DemoVisit

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ("support",)

_TRIES = 2
_STEPS = (("find_order", "Look the order up."), ("track_parcel", "Where is its parcel now?"))
_INSTRUCTIONS = {
    "1.3": "You help customers with their orders. Look an order up before you answer.",
    "1.4": "You help customers with their orders. Look an order up, and its parcel, before you answer.",
}


class CarrierError(Exception):
    """The carrier does not say where a parcel is."""


@miharu.observe(kind="tool")
async def find_order(number: str) -> dict[str, Any]:
    """Look up an order."""
    await anyio.sleep(0.03)
    return {"order": number, "state": "sent", "parcel": "JP-51882"}


@miharu.observe(kind="tool")
async def track_parcel(number: str, *, is_carrier_up: bool = True) -> dict[str, Any]:
    """Ask the carrier where a parcel is."""
    await anyio.sleep(0.12 if is_carrier_up else 0.4)
    if not is_carrier_up:
        raise CarrierError(f"No answer for parcel {number} within 400 ms.")
    return {"parcel": number, "at": "Sendai", "due": "Tuesday"}


@miharu.observe(name="support agent", kind="agent")
async def support(client: "AsyncOpenAI", visit: DemoVisit) -> None:
    """Answer one question about an order."""
    messages: list[Any] = [
        {"role": "system", "content": _INSTRUCTIONS[visit.release]},
        {"role": "user", "content": visit.question},
    ]
    with miharu.context(prompt="orders.support"):
        for name, step in _STEPS:
            choice: Any = {"type": "function", "function": {"name": name}}
            messages.append({"role": "user", "content": step})
            asked = await client.chat.completions.create(
                messages=messages, tools=_TOOLS, tool_choice=choice, **visit.options
            )
            message = asked.choices[0].message
            messages.append(message.model_dump(exclude_none=True))
            for call in message.tool_calls or ():
                found = await _run(call.function.name, visit, **json.loads(call.function.arguments))
                messages.append({"role": "tool", "tool_call_id": call.id, "content": json.dumps(found)})
        await client.chat.completions.create(messages=messages, tools=_TOOLS, **visit.options)


async def _run(name: str, visit: DemoVisit, number: str) -> dict[str, Any]:
    if name == "find_order":
        return await find_order(number)
    for tried in range(_TRIES):
        try:
            return await track_parcel(number, is_carrier_up=tried >= visit.outages)
        except CarrierError:
            continue
    return {"error": "The carrier does not answer."}


def _tool(name: str, description: str) -> Any:
    number = {"type": "string"}
    parameters = {"type": "object", "properties": {"number": number}, "required": ["number"]}
    return {
        "type": "function",
        "function": {"name": name, "description": description, "parameters": parameters},
    }


_TOOLS = [_tool("find_order", "Look up an order"), _tool("track_parcel", "Ask where a parcel is")]
