"""What exchanges were, and their bodies."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.corpus import offline
from tests.providers.test_exchanges import CASES, chunks_of, facts_of

__all__ = ("seeds",)


def seeds() -> Iterator[tuple[dict[str, Any], bytes]]:
    """The project's own, and recorded ones where they are to be had."""
    for path in CASES:
        case = json.loads(Path(path).read_text())
        yield facts_of(case), b"".join(chunks_of(case))
    if offline.CORPUS.is_dir():
        for recorded in offline.exchanges():
            asked = recorded["request_body"]
            if asked is not None and recorded["request_body_encoding"] == "base64":
                asked = base64.b64decode(asked)
            facts = {
                "url": recorded["url"],
                "asked": asked.encode() if isinstance(asked, str) else asked,
                "status": recorded["status"],
                "method": recorded["method"],
                "headers": {name.lower(): value for name, value in recorded["response_headers"]},
            }
            yield facts, base64.b64decode(recorded["response_body"])
