"""A process that reads hostile answers as the recorder's thread does, and says what each of them cost it.

python -m tests.security.reading SECONDS NAME…

Each is read again while nobody else could have run for longer than those seconds, thrice at most.
"""

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

from miharu import providers
from miharu.kept_body import CHUNK_OVERHEAD, KEPT_HEAD
from miharu.plugins import load
from miharu.recorder.reading.reader import Reader
from miharu.stores.columns import CALLS, to_row
from tests.hostile import ANSWERS, Hostile
from tests.world import HandMade, exchange

ASKED = {"model": "m", "messages": [{"role": "user", "content": "Hi."}], "input": "Hi.", "stream": True}
TRIES = 3
"""Another program may have had the processor meanwhile; the best of them counts."""


def taken(answer: Hostile) -> HandMade:
    """As the tee leaves it."""
    made = exchange(f"http://127.0.0.1:1{answer.path}", asked=ASKED, chunks=[], headers=answer.headers)
    body, room = answer.body(), KEPT_HEAD
    for at in range(0, len(body), 65536):
        chunk = body[at : at + 65536]
        room -= len(chunk) + CHUNK_OVERHEAD
        if room > 0:
            made.chunks.append(chunk)
            made.arrivals.append(made.started + at)
        else:
            made.overflow(chunk)
    return made


def read(reader: Reader, answer: Hostile) -> dict[str, Any]:
    """Read it: the row, the peak of memory in bytes, and how long nobody else could have run, in seconds."""
    before = forget_peak()
    made = taken(answer)
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(reader.read(made)))
    held, last = [0.0], 0.0
    thread.start()
    while thread.is_alive():
        try:
            spent = time.clock_gettime(time.pthread_getcpuclockid(thread.ident or 0))
        except OSError:  # it has ended just now
            break
        held.append(spent - last)
        last = spent
        time.sleep(0.001)
    thread.join()
    (call,) = found
    return {
        "name": answer.name,
        "peak": memory("VmHWM") - before,
        "held": max(held),
        "row": None if call is None else dict(zip(CALLS, to_row(call), strict=True)),
    }


def forget_peak() -> int:
    """The memory that is held now, from which the peak (``VmHWM``) counts anew."""
    Path("/proc/self/clear_refs").write_text("5")
    return memory("VmRSS")


def memory(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def main(bound: float, names: list[str]) -> None:
    reader = Reader(
        [provider() for _, provider in load(providers.BUILT_IN)], capture_content=True, estimate_usage=True
    )
    plain = Hostile("", lambda: b'{"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}')
    read(reader, plain)  # so that all is loaded
    for answer in ANSWERS:
        if answer.name in names:
            answer.body()
            told = read(reader, answer)
            tries = 1
            while told["held"] > bound and tries < TRIES:
                told["held"] = min(told["held"], read(reader, answer)["held"])
                tries += 1
            print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2:])
