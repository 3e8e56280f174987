"""Voyage's embeddings: of their usage the total alone is told."""

import struct
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from tests.sdks.provider.base import Question, Reply, Told, reply_json

API = "openai.embeddings"


def question(path: str, asked: Mapping[str, Any]) -> Question | None:
    if path != "/v1/embeddings":
        return None
    return Question(api=API, path=path, model=asked["model"], stream=False, asked=asked)


async def answer(question: Question) -> tuple[Reply, Told]:
    vector: Any = [0.5, 0.25]
    if question.asked.get("encoding_format") == "base64":
        vector = b64encode(struct.pack("<2f", *vector)).decode()
    whole = {
        "object": "list",
        "data": [{"object": "embedding", "embedding": vector, "index": 0}],
        "model": question.model,
        "usage": {"total_tokens": 6},
    }
    return reply_json(whole), Told(api=API, model=question.model, prompt_tokens=6)


def error(status: int) -> Any:
    return {"detail": "Not now."}
