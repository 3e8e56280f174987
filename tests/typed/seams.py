"""Plug-ins, as their authors write them. It is read by checkers and never run."""

from collections.abc import Mapping, Sequence
from typing import Any

import miharu
from miharu import Call
from miharu.batch import Batch
from miharu.call import Cost, Usage
from miharu.providers.base import Reading, Rule, Wire
from miharu.providers.messages import Said, message, text_part


class Printer:
    async def export(self, batch: Batch) -> None:
        for call in batch.calls:
            print(call.route, call.outcome.status)

    async def close(self) -> None:
        """Nothing is open."""


class InHouse:
    def cost(self, call: Call) -> Cost | None:
        return Cost(cost_nanousd=20, cost_source="in-house") if call.model else None


class Rerank:
    api = "acme.rerank"
    rules = (Rule("/v1/rerank"),)

    def read(self, wire: Wire) -> Reading | None:
        return Reading(terminated=bool(wire.answered), usage=Usage(prompt_tokens=wire.answered.get("tokens")))

    def messages(self, request: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]) -> Said:
        return Said(asked=[message("user", [text_part(request.get("query"))])], tools=["rank"])


miharu.init(exporters=[Printer()], prices=InHouse(), providers=[Rerank()])
