"""A provider on a port of this machine that answers from a cassette, for programs in any language."""

from collections.abc import Callable, Mapping
from typing import Any

import anyio

from miharu.cassettes.answering.http1 import complete
from miharu.cassettes.question import Question, normal
from miharu.cassettes.recorded import Recorded
from miharu.cassettes.replay import REFUSED, Replay
from miharu.testing._served import Served

__all__ = ("CassetteProvider",)


class CassetteProvider(Served):
    """Serves a replay; ``with`` starts and ends it."""

    def __init__(self, replay: Replay, *, port: int = 0, missed: Callable[[str], object] = bool) -> None:
        """Prepare.

        Args:
            replay: What answers.
            port: The port to serve on; a free one by default.
            missed: Told of each request that was not recorded.
        """
        self.replay = replay
        self._port = port
        self._missed = missed

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        """Answer one request, as an ASGI app does."""
        path = scope["path"]
        if scope["type"] == "websocket":
            self._missed(self.replay.refuse(path))
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        query = scope["query_string"].decode("latin-1")
        body = normal(await _read(receive), headers, query)
        host = headers.get("host", "")
        one = self.replay.answer(Question(method=scope["method"], host=host, path=path, body=body))
        assert one is not None
        if one.status == REFUSED and self.replay.missed and "x-miharu-replayed" not in one.headers:
            self._missed(self.replay.missed[-1])
        await _send(one, send, paced=self.replay.paced)


async def _read(receive: Any) -> bytes:
    parts = []
    while (message := await receive())["type"] == "http.request":
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            break
    return b"".join(parts)


async def _send(one: Recorded, send: Any, *, paced: bool) -> None:
    if one.status is None:
        if paced:
            await anyio.sleep(one.before_s)
        raise ConnectionAbortedError(one.error_message)
    headers = [(name.encode(), value.encode("latin-1", "replace")) for name, value in complete(one).items()]
    await send({"type": "http.response.start", "status": one.status, "headers": headers})
    for wait, piece in one.schedule(paced=paced):
        if wait:
            await anyio.sleep(wait)
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    if one.is_broken:
        raise ConnectionAbortedError(one.error_message)
    await send({"type": "http.response.body", "body": b""})
