"""Embeddings, as OpenAI puts them on the wire."""

import base64
import random
import struct
from collections.abc import Mapping
from typing import Any
from zlib import crc32

from miharu.testing.tokens import count_tokens


def embeddings(asked: Mapping[str, Any]) -> dict[str, Any]:
    """One vector for each input; the same input gets the same vector."""
    given = asked.get("input")
    inputs = (
        given if isinstance(given, list) and not all(isinstance(part, int) for part in given) else [given]
    )
    size = asked.get("dimensions") or (3072 if str(asked["model"]).endswith("-3-large") else 1536)
    packed = asked.get("encoding_format") == "base64"
    used = sum(len(part) if isinstance(part, list) else count_tokens(str(part)) for part in inputs)
    return {
        "object": "list",
        "data": [
            {"object": "embedding", "index": index, "embedding": _vector(part, size, packed=packed)}
            for index, part in enumerate(inputs)
        ],
        "model": asked["model"],
        "usage": {"prompt_tokens": used, "total_tokens": used},
    }


def _vector(part: object, size: int, *, packed: bool) -> list[float] | str:
    source = random.Random(crc32(repr(part).encode()))  # noqa: S311 - the same text must get the same vector
    values = [source.uniform(-0.05, 0.05) for _ in range(size)]
    return base64.b64encode(struct.pack(f"<{size}f", *values)).decode() if packed else values
