"""One exchange, by its number: the server that answers and the client that asks draw the same."""

import json
import random
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tests.corpus.fuzz.mutations import encoded, mutated, planted
from tests.corpus.fuzz.seeds import seeds
from tests.hostile import ANSWERS, Hostile

__all__ = ("Drawing", "Exchanges")

CHAT = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi."}], "input": "Hi."}


@dataclass(frozen=True)
class Drawing:
    """One exchange: what is asked, and what is answered."""

    facts: dict[str, Any]
    """``url``, ``asked``, ``status``, ``method`` and ``headers``, as ``tests.world.exchange`` takes them."""
    body: bytes
    """As it goes over the wire."""
    hurts: bool
    """It is made to hurt, so a client must not decode it whole either."""


class Exchanges:
    """All that can be drawn."""

    def __init__(self, seed: int, hostile: float = 0.01) -> None:
        """Prepare.

        Args:
            seed: Of all that is drawn.
            hostile: The share of answers that are made to hurt.
        """
        self.seed = seed
        self._hostile = hostile

    @cached_property
    def starts(self) -> list[tuple[dict[str, Any], bytes]]:
        return list(seeds())

    def hurts(self, number: int) -> bool:
        """Whether that one is made to hurt; its body is not made for it."""
        return self._rng(number).random() < self._hostile

    def _rng(self, number: int) -> random.Random:
        return random.Random(f"{self.seed} {number}")

    def draw(self, number: int) -> Drawing:
        """The exchange of that number."""
        rng = self._rng(number)
        if rng.random() < self._hostile:
            return self._hurting(rng.choice(ANSWERS))
        facts, body = rng.choice(self.starts)
        asked = facts["asked"]
        if isinstance(asked, bytes) and rng.random() < 0.3:
            asked = mutated(asked, rng)
        if rng.random() < 0.3:
            body = planted(body, rng)
        body, headers = mutated(body, rng), dict(facts.get("headers") or {})
        headers.pop("content-encoding", None)
        if rng.random() < 0.5:
            body, headers["content-encoding"] = encoded(body, rng)
        return Drawing({**facts, "asked": asked, "headers": headers}, body, hurts=False)

    def _hurting(self, answer: Hostile) -> Drawing:
        facts = {
            "url": f"https://api.openai.com{answer.path}",
            "asked": json.dumps(CHAT).encode(),
            "status": 200,
            "method": "POST",
            "headers": dict(answer.headers),
        }
        return Drawing(facts, answer.body(), hurts=True)
