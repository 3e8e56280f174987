"""In the place of the network: the SDKs, their clients and their responses are the real ones.

asked.py    which requests are calls of a model, and the replay that answers them
httpx.py    a transport around the one that a client of httpx or httpx2 has chosen
aiohttp.py  a connection that leads nowhere, whose answer aiohttp's own parser reads
urllib3.py  the same for urllib3, with a socket of ours
http1.py    an answer as bytes of HTTP/1.1
sockets.py  sessions over WebSockets are refused

The patches are others than the interceptor's, which sees replayed calls as it sees all.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from miharu.cassettes.answering import asked
from miharu.cassettes.replay import Replay
from miharu.errors import ConfigError
from miharu.interceptor.imports import Finder
from miharu.interceptor.wrapping import Wrappings

__all__ = ("answering", "begin", "end")

_SOCKETS = ("websockets.asyncio.client", "websockets.sync.client", "websockets.trio.client")
LIBRARIES = ("httpx", "httpx2", "aiohttp", "urllib3", *_SOCKETS)

_wrappings = Wrappings()
_finder = Finder()


@contextmanager
def answering(replay: Replay) -> Iterator[None]:
    """A block in which each call of a model is answered by the replay, in all threads of this process.

    Raises:
        ConfigError: There is a replay already.
    """
    begin(replay)
    try:
        yield
    finally:
        end()


def begin(replay: Replay) -> None:
    """Answer from now on.

    Raises:
        ConfigError: There is a replay already.
    """
    if asked.current() is not None:
        raise ConfigError("there is a replay in this process already, and there can be one at a time.")
    asked.answer_by(replay)
    pending = []
    for name in LIBRARIES:
        if name in sys.modules:
            _patch(sys.modules[name])
        else:
            pending.append(name)
    _finder.wait(pending, _patch)


def end() -> None:
    """Let calls go out again."""
    asked.answer_by(None)
    _finder.wait((), _patch)
    _wrappings.restore()


def _patch(library: ModuleType) -> None:
    name = library.__name__
    if name in _SOCKETS:
        from miharu.cassettes.answering.sockets import patch
    elif name == "aiohttp":
        from miharu.cassettes.answering.aiohttp import patch
    elif name == "urllib3":
        from miharu.cassettes.answering.urllib3 import patch
    else:
        from miharu.cassettes.answering.httpx import patch
    if not patch(library, _wrappings):
        raise ConfigError(
            f"this {name} is not one that can be answered in the place of: nothing is replayed."
        )
