"""What a program asks beyond the file goes out, and into the file.

Several tests may record into one file, also in several processes: what another has added stays.
"""

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from miharu.cassettes.file import load, save
from miharu.cassettes.recorded import Recorded
from miharu.cassettes.replay import MARK, Replay
from miharu.cassettes.seen import recorded
from miharu.exchange import Exchange
from miharu.files.lock import lock_file, unlock_file
from miharu.interceptor import handoff
from miharu.monitor.capture import watch

__all__ = ("add_to", "recording")

logger = logging.getLogger("miharu")
_WHY = {
    "large": "a call whose body is too large, or comes in parts, is not recorded",
    "session": "a session with a model is not recorded",
    "secret": "a call is not recorded whose answer is not text, and repeats a credential",
}


@contextmanager
def recording(replay: Replay, path: Path) -> Iterator[None]:
    """A block whose calls go out, unless they are recorded; at its end they are in the file."""
    found: list[tuple[int, Recorded]] = []

    def take(exchange: Exchange) -> None:
        if exchange.response_headers.get(MARK) is not None:
            return
        one = recorded(exchange)
        if isinstance(one, str):
            logger.warning("miharu: %s.", _WHY[one])
        elif one.status is not None or not replay.knows_error(one.asked, one.error_type):
            found.append((exchange.started, one))

    watch.begin()
    try:
        with handoff.also(take):
            yield
    finally:
        watch.end()
        if found:
            add_to(path, [one for _, one in sorted(found, key=lambda pair: pair[0])])


def add_to(path: Path, exchanges: Sequence[Recorded]) -> None:
    """Write them behind what the file has."""
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        lock_file(folder, wait=True)
        try:
            save(path, [*(load(path) if path.exists() else ()), *exchanges])
        finally:
            unlock_file(folder)
    finally:
        os.close(folder)
