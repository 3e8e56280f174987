"""A connection of aiohttp that leads nowhere, whose answer aiohttp's own parser reads.

``BaseConnector.connect`` gives a session the connection for a request. For a call of a model it gives one
that takes whatever is written and, when the request is complete, is fed what was recorded.
"""

import asyncio
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

import h11

from miharu.cassettes.answering import asked
from miharu.cassettes.answering.http1 import sent
from miharu.cassettes.recorded import Recorded
from miharu.interceptor.wrapping import Wrappings

__all__ = ("patch",)


def patch(library: Any, wrappings: Wrappings) -> bool:
    """Patch the library's connectors, once; whether that is possible."""
    connector = getattr(library, "BaseConnector", None)
    session = getattr(library, "ClientSession", None)
    if not hasattr(connector, "connect") or not hasattr(session, "_ws_connect"):
        return False
    wrappings.wrap(connector, "connect", lambda original: _connect(original, library.connector))  # type: ignore[arg-type]
    wrappings.wrap(session, "_ws_connect", _ws_connect)  # type: ignore[arg-type]
    return True


def _connect(original: Callable[..., Any], library: ModuleType) -> Callable[..., Any]:
    async def connect(self: Any, req: Any, *args: Any, **kwargs: Any) -> Any:
        url, method = req.url, req.method.upper()
        if not asked.is_call(method, url.host or "", url.path):
            return await original(self, req, *args, **kwargs)
        headers = {name.lower(): value for name, value in req.headers.items()}
        body = await _body(req.body)
        query = url.raw_query_string
        one = asked.answer(method, url.host or "", url.path, query=query, headers=headers, body=body)
        if one is None:
            return await original(self, req, *args, **kwargs)
        replay, loop = asked.current(), asyncio.get_running_loop()
        protocol = self._factory()
        protocol.connection_made(_Transport(loop, protocol, one, paced=replay is not None and replay.paced))
        return library.Connection(self, req.connection_key, protocol, loop)

    return connect


async def _body(body: Any) -> bytes | None:
    """What is sent, where it is known beforehand: bytes, or a payload or a form that is made of them."""
    if isinstance(body, bytes | bytearray):
        return bytes(body)
    value = getattr(body, "_value", None)
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    if hasattr(body, "as_bytes") and hasattr(body, "_parts"):
        return bytes(await body.as_bytes())
    return None


def _ws_connect(original: Callable[..., Any]) -> Callable[..., Any]:
    async def connect(self: Any, url: Any, *args: Any, **kwargs: Any) -> Any:
        whole = self._build_url(url)
        refusal = asked.refusal(whole.host or "", whole.path)
        if refusal is not None:
            raise ConnectionRefusedError(refusal)
        return await original(self, url, *args, **kwargs)

    return connect


class _Transport(asyncio.Transport):
    """Takes a request, and feeds the answer to the protocol."""

    def __init__(self, loop: asyncio.AbstractEventLoop, protocol: Any, one: Recorded, *, paced: bool) -> None:
        super().__init__()
        self._loop = loop
        self._protocol = protocol
        self._one = one
        self._paced = paced
        self._request = h11.Connection(h11.SERVER)
        self._closing = self._answers = False
        self._may_feed = asyncio.Event()
        self._may_feed.set()
        self._feeding: asyncio.Task[None] | None = None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._answers or self._closing:
            return
        self._request.receive_data(bytes(data))
        event: Any = None
        while event is not h11.NEED_DATA and event is not h11.PAUSED and not self._answers:
            event = self._request.next_event()
            self._answers = isinstance(event, h11.EndOfMessage)
        if self._answers:
            self._feeding = self._loop.create_task(self._feed())

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        self.write(b"".join(list_of_data))

    async def _feed(self) -> None:
        one = self._one
        if one.status is None:
            if self._paced:
                await asyncio.sleep(one.before_s)
        else:
            for wait, data in sent(one, paced=self._paced):
                if wait:
                    await asyncio.sleep(wait)
                await self._may_feed.wait()
                if self._closing:
                    return
                self._protocol.data_received(data)
        if one.is_broken and not self._closing:
            self._lose(_error(one))

    def _lose(self, error: Exception | None) -> None:
        self._closing = True
        self._protocol.connection_lost(error)

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._may_feed.set()
            self._loop.call_soon(self._protocol.connection_lost, None)

    def abort(self) -> None:
        self.close()

    def is_closing(self) -> bool:
        return self._closing

    def pause_reading(self) -> None:
        self._may_feed.clear()

    def resume_reading(self) -> None:
        self._may_feed.set()

    def is_reading(self) -> bool:
        return self._may_feed.is_set()

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...

    def can_write_eof(self) -> bool:
        return False

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ARG002 - there is no socket
        return default


def _error(one: Recorded) -> Exception:
    message = one.error_message or "as it was recorded"
    if "Timeout" in (one.error_type or ""):
        return TimeoutError(message)
    return ConnectionResetError(message)
