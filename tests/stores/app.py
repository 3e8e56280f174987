"""A program that makes calls through a real client and is told what to do line by line; a process of its own.

    python -m tests.stores.app URL_OF_THE_PROVIDER

It answers each line with one line of JSON, and what is logged comes in between as ``{"log": ...}``.
"""

import json
import logging
import os
import sys
import tempfile
import threading
import time
from typing import Any

import httpx

import miharu
from miharu.call import Call, Cost
from miharu.monitor import current
from miharu.testing.store_contract import ALL

_saying = threading.Lock()


def say(**facts: Any) -> None:
    with _saying:  # the log speaks from other threads
        print(json.dumps(facts), flush=True)


class Said(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        trace = logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
        say(log=record.getMessage(), trace=trace)


class Unknown:
    """Prices that need no loading."""

    def cost(self, call: Call) -> Cost | None:
        return None


def look() -> int:
    """As a page does, and at everything."""
    monitor = current()
    assert monitor is not None
    return len(monitor.read_sync(lambda: monitor.questions.calls(ALL, limit=10**7)))


def everything_loaded(client: httpx.Client, url: str) -> None:
    """Have all modules loaded, since another user may not be able to read them."""
    with tempfile.TemporaryDirectory() as folder:
        miharu.init(f"{folder}/calls.db", prices=Unknown())
        client.post(url, json={"model": "m", "messages": []}).raise_for_status()
        miharu.flush(60)
        look()
        miharu.shutdown(60)


def main(provider: str) -> None:
    logging.getLogger("miharu").addHandler(Said())
    url = f"{provider}/chat/completions"
    with httpx.Client(trust_env=False) as client:
        say(ready=True)
        for line in sys.stdin:
            word, *values = json.loads(line)
            if word == "init":
                miharu.init(values[0], prices=Unknown())
                say(done=word)
            elif word == "calls":
                slowest = 0.0
                for _ in range(values[0]):
                    began = time.perf_counter()
                    answer = client.post(url, json={"model": values[1], "messages": []})
                    slowest = max(slowest, time.perf_counter() - began)
                    answer.raise_for_status()
                say(done=word, slowest_ms=slowest * 1000)
            elif word == "flush":
                say(done=word, flushed=miharu.flush(values[0]), stats=dict(miharu.stats()))
            elif word == "shutdown":
                say(done=word, stopped=miharu.shutdown(values[0]), stats=dict(miharu.stats()))
            elif word == "look":
                say(done=word, calls=look())
            elif word == "become":
                everything_loaded(client, url)
                os.setgid(values[0])
                os.setuid(values[0])
                say(done=word)


if __name__ == "__main__":
    main(sys.argv[1])
