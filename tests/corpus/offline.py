"""Reads the recorded traffic without a socket, and compares it with the truth: quick, for writing a reader.

python -m tests.corpus.offline                  every exchange
python -m tests.corpus.offline bedrock          those whose provider/flavour or id contains it
python -m tests.corpus.offline --negatives      what must be no billed call
"""

import base64
import gzip
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from miharu import providers
from miharu.call import Call
from miharu.plugins import load
from miharu.recorder.reading.reader import Reader
from miharu.stores.columns import CALLS, to_row
from tests.world import exchange

CORPUS = Path(os.environ.get("MIHARU_CORPUS", Path(__file__).parents[2].parent / "shared" / "corpus"))


def exchanges(name: str = "dev") -> Iterator[dict[str, Any]]:
    with gzip.open(CORPUS / f"{name}.jsonl.gz", "rt") as lines:
        yield from map(json.loads, lines)


def read(reader: Reader, recorded: dict[str, Any]) -> list[dict[str, Any]]:
    """The row that it becomes, or none."""
    call = call_of(reader, recorded)
    return [] if call is None else [dict(zip(CALLS, to_row(call), strict=True))]


def call_of(reader: Reader, recorded: dict[str, Any]) -> Call | None:
    """The call that it becomes."""
    asked = recorded["request_body"]
    if asked is not None:
        asked = base64.b64decode(asked) if recorded["request_body_encoding"] == "base64" else asked.encode()
    return reader.read(
        exchange(
            recorded["url"],
            asked=asked,
            chunks=[base64.b64decode(recorded["response_body"])],
            status=recorded["status"],
            method=recorded["method"],
            headers={
                name.lower(): value
                for name, value in recorded["response_headers"]
                if name.lower() != "content-encoding"
            },
            request_headers={name.lower(): value for name, value in recorded["request_headers"]},
        )
    )


def main(words: list[str]) -> None:
    sys.path.insert(0, str(CORPUS))
    from compare import compare

    reader = Reader([provider() for _, provider in load(providers.BUILT_IN)])
    name = "negatives" if "--negatives" in words else "dev"
    wanted = [word for word in words if not word.startswith("--")]
    chosen = [
        recorded
        for recorded in exchanges(name)
        if all(word in f"{recorded['provider']}/{recorded['flavour']} {recorded['id']}" for word in wanted)
    ]
    compare({recorded["id"]: read(reader, recorded) for recorded in chosen}, chosen)


if __name__ == "__main__":
    main(sys.argv[1:])
