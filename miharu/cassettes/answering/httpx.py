"""A transport around the one that a client of httpx or httpx2 has chosen.

``Client._transport_for_url`` is where a client chooses; all else of the client is as ever, so the time that
an answer took, its cookies and its streams are the client's own doing.
"""

import time
from collections.abc import AsyncIterator, Callable, Iterator
from types import ModuleType
from typing import Any

from miharu.cassettes.answering import asked
from miharu.cassettes.answering.http1 import complete
from miharu.cassettes.recorded import Recorded
from miharu.interceptor.wrapping import Wrappings
from miharu.wire.headers import lowered

__all__ = ("patch",)


def patch(library: ModuleType, wrappings: Wrappings) -> bool:
    """Patch the library's clients, once; whether that is possible."""
    clients = [getattr(library, name, None) for name in ("Client", "AsyncClient")]
    if not all(hasattr(client, "_transport_for_url") for client in clients):
        return False
    for client, transport in zip(clients, _transports(library), strict=True):
        assert isinstance(client, type)
        wrappings.wrap(client, "_transport_for_url", _choosing(transport))
    return True


def _choosing(transport: type[Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def choose(self: Any, url: Any) -> Any:
            chosen = original(self, url)
            return chosen if asked.current() is None else transport(chosen)

        return choose

    return make


def _transports(library: Any) -> tuple[type[Any], type[Any]]:
    """A sync and an async transport of that library."""
    stream, async_stream = _streams(library)
    return _sync(library, stream), _async(library, async_stream)


def _sync(library: Any, stream: type[Any]) -> type[Any]:
    class Sync(library.BaseTransport):  # type: ignore[misc]
        def __init__(self, chosen: Any) -> None:
            self._chosen = chosen

        def handle_request(self, request: Any) -> Any:
            if not _is_call(request):
                return self._chosen.handle_request(request)
            one = _answer(request, request.read())
            if one is None:
                return self._chosen.handle_request(request)
            if one.status is None:
                _wait(one)
                raise _error(library, one, request)
            return _response(library, one, stream(one, request))

    return Sync


def _async(library: Any, stream: type[Any]) -> type[Any]:
    class Async(library.AsyncBaseTransport):  # type: ignore[misc]
        def __init__(self, chosen: Any) -> None:
            self._chosen = chosen

        async def handle_async_request(self, request: Any) -> Any:
            if not _is_call(request):
                return await self._chosen.handle_async_request(request)
            one = _answer(request, await request.aread())
            if one is None:
                return await self._chosen.handle_async_request(request)
            if one.status is None:
                await _await(one)
                raise _error(library, one, request)
            return _response(library, one, stream(one, request))

    return Async


def _streams(library: Any) -> tuple[type[Any], type[Any]]:
    """A sync and an async stream of that library, which its clients insist on."""

    class _Pieces:
        def __init__(self, one: Recorded, request: Any) -> None:
            self._one = one
            self._request = request

        def _finish(self) -> None:
            if self._one.is_broken:
                raise _error(library, self._one, self._request)

    class Sync(_Pieces, library.SyncByteStream):  # type: ignore[misc]
        def __iter__(self) -> Iterator[bytes]:
            for wait, piece in self._one.schedule(paced=_is_paced()):
                if wait:
                    time.sleep(wait)
                yield piece
            self._finish()

    class Async(_Pieces, library.AsyncByteStream):  # type: ignore[misc]
        async def __aiter__(self) -> AsyncIterator[bytes]:
            for wait, piece in self._one.schedule(paced=_is_paced()):
                if wait:
                    await _sleep(wait)
                yield piece
            self._finish()

    return Sync, Async


def _is_call(request: Any) -> bool:
    return asked.is_call(request.method, request.url.host, request.url.path)


def _answer(request: Any, body: bytes) -> Recorded | None:
    url = request.url
    query = url.query.decode("ascii", "replace")
    headers = lowered(request.headers)
    return asked.answer(request.method, url.host, url.path, query=query, headers=headers, body=body)


def _response(library: Any, one: Recorded, stream: Any) -> Any:
    headers = complete(one)
    return library.Response(
        one.status, headers=headers, stream=stream, extensions={"http_version": b"HTTP/1.1"}
    )


def _error(library: Any, one: Recorded, request: Any) -> Exception:
    """The exception that was recorded, if it is one of that library's, else the nearest to it."""
    name = (one.error_type or "").rpartition(".")[2]
    found = getattr(library, name, None)
    if not (isinstance(found, type) and issubclass(found, library.TransportError)):
        reached = "ConnectError" if one.status is None else "ReadError"
        found = getattr(library, "ReadTimeout" if "Timeout" in name else reached)
    error: Exception = found(one.error_message or "as it was recorded", request=request)
    return error


def _is_paced() -> bool:
    replay = asked.current()
    return replay is not None and replay.paced


def _wait(one: Recorded) -> None:
    if _is_paced():
        time.sleep(one.before_s)


async def _await(one: Recorded) -> None:
    if _is_paced():
        await _sleep(one.before_s)


async def _sleep(seconds: float) -> None:
    import anyio

    await anyio.sleep(seconds)
