"""The tee: each chunk of a body goes to the app, and a reference to it into the exchange.

It goes *inside* the stream that the client has bound to the response, so that ``response.elapsed``, the
stream's type and the release of the connection stay what they were. A response that is cancelled,
half-read or dropped is still a call that happened, so every way out ends in ``finish``.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from types import ModuleType
from typing import Any

from miharu.exchange import End, Exchange

__all__ = ("Finish", "make_tees")

Finish = Callable[[Exchange, End | None, BaseException | None], None]
"""Called with how an exchange ended, or by which exception; only the first call counts."""


class _Tee:
    """What the sync and the async tee share: all but the loop, where one more function call would be felt."""

    _exchange: Exchange | None = None
    """``None`` from the end on: a response that the program keeps must not keep our copy of its body."""

    def __init__(self, stream: Any, exchange: Exchange, finish: Finish) -> None:
        self._stream = stream
        self._exchange = exchange
        self._finish = finish

    def _end(self, end: End | None, error: BaseException | None = None) -> None:
        exchange = self._exchange
        if exchange is not None:
            self._exchange = None
            self._finish(exchange, end, error)

    def __del__(self) -> None:
        self._end("dropped")


def make_tees(library: ModuleType) -> tuple[type[Any], type[Any]]:  # noqa: C901 - two classes side by side
    """A sync and an async tee of that library's own stream types, which its clients insist on."""

    class SyncTee(_Tee, library.SyncByteStream):  # type: ignore[misc, name-defined]
        def __iter__(self) -> Iterator[bytes]:
            keep = (self._exchange or Exchange()).keep  # a second walk over the stream is not kept
            chunks = iter(self._stream)
            try:
                for chunk in chunks:
                    keep(chunk)
                    yield chunk
                self._end("eof")
            except GeneratorExit:
                self._end("closed")
                raise
            except BaseException as error:
                self._end(None, error)
                raise
            finally:
                if isinstance(chunks, Generator):  # else it may be the stream, which the client closes
                    chunks.close()

        def close(self) -> None:
            self._end("closed")
            self._stream.close()

    class AsyncTee(_Tee, library.AsyncByteStream):  # type: ignore[misc, name-defined]
        async def __aiter__(self) -> AsyncIterator[bytes]:
            keep = (self._exchange or Exchange()).keep  # a second walk over the stream is not kept
            chunks = self._stream.__aiter__()
            try:
                async for chunk in chunks:
                    keep(chunk)
                    yield chunk
                self._end("eof")
            except GeneratorExit:
                self._end("closed")
                raise
            except BaseException as error:
                self._end(None, error)
                raise
            finally:
                if isinstance(chunks, AsyncGenerator):  # else it may be the stream, which the client closes
                    await chunks.aclose()

        async def aclose(self) -> None:
            self._end("closed")
            await self._stream.aclose()

    return SyncTee, AsyncTee
