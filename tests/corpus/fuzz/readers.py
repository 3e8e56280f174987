"""Exchanges straight through every reader, as the recorder's thread does it."""

import random
import time
from collections.abc import Iterable
from dataclasses import dataclass

from miharu import providers
from miharu.kept_body import CHUNK_OVERHEAD, KEPT_HEAD
from miharu.plugins import load
from miharu.recorder.reading.reader import Reader
from miharu.stores.columns import to_row
from tests.corpus.fuzz.drawing import Drawing, Exchanges
from tests.security.reading import forget_peak, memory
from tests.world import HandMade, exchange

__all__ = ("Found", "read")


@dataclass
class Found:
    """What came of them."""

    tried: int = 0
    calls: int = 0
    slowest: float = 0.0
    """Seconds of the processor for one of them."""
    which: int = 0
    """The number of that one."""
    peak: int = 0
    """Bytes of memory that reading one of them took at most."""


def read(exchanges: Exchanges, numbers: Iterable[int]) -> Found:
    """Read those; whatever a reader raises comes out."""
    reader = Reader(
        [provider() for _, provider in load(providers.BUILT_IN)], capture_content=True, estimate_usage=True
    )
    found = Found()
    for number in numbers:
        made = left(exchanges.draw(number), random.Random(number))
        before = forget_peak()
        start = time.thread_time()
        call = reader.read(made)
        took = time.thread_time() - start
        found.peak = max(found.peak, memory("VmHWM") - before)
        if call is not None:
            found.calls += 1
            to_row(call)
        if took > found.slowest:
            found.slowest, found.which = took, number
        found.tried += 1
    return found


def left(drawing: Drawing, rng: random.Random) -> HandMade:
    """The exchange as a tee leaves it, cut into chunks at random."""
    made = exchange(**drawing.facts, chunks=[], end=rng.choice(["eof", "closed", "dropped", "error"]))
    step = rng.choice([max(1, len(drawing.body) // 7), 65536, 16384])
    room = KEPT_HEAD
    for at in range(0, len(drawing.body), step):
        chunk = drawing.body[at : at + step]
        room -= len(chunk) + CHUNK_OVERHEAD
        if room > 0:
            made.chunks.append(chunk)
            made.arrivals.append(made.started + at)
        else:
            made.overflow(chunk)
    return made
