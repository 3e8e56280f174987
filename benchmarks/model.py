"""A fake model on this machine, in a process of its own so that its work is not the caller's.

A request with ``"stream": true`` gets 200 chunks, one for embeddings a vector, any other one JSON answer.
"""

import asyncio
import base64
import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator

__all__ = ("ANSWER", "CHUNKS", "USAGE", "running")

USAGE = {"prompt_tokens": 12, "completion_tokens": 200, "total_tokens": 212}


def _chunk(**fields: object) -> bytes:
    body = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-mini"}
    return b"data: " + json.dumps({**body, **fields}).encode() + b"\n\n"


def _delta(text: str, finish: str | None = None) -> bytes:
    return _chunk(choices=[{"index": 0, "delta": {"content": text}, "finish_reason": finish}])


CHUNKS = (
    *(_delta(f" word{number}") for number in range(197)),
    _delta("", "stop"),
    _chunk(choices=[], usage=USAGE),
    b"data: [DONE]\n\n",
)

ANSWER = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4o-mini",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": " ".join(f"word{n}" for n in range(60))},
            }
        ],
        "usage": USAGE,
    }
).encode()

EMBEDDED = json.dumps(
    {
        "object": "list",
        "model": "text-embedding-3-small",
        "data": [{"object": "embedding", "index": 0, "embedding": base64.b64encode(bytes(6144)).decode()}],
        "usage": {"prompt_tokens": 6, "total_tokens": 6},
    }
).encode()


def _json(body: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % len(body) + body


_JSON, _EMBEDDED = _json(ANSWER), _json(EMBEDDED)
_STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_STREAMED = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in CHUNKS) + b"0\r\n\r\n"


class _Model(asyncio.Protocol):
    def __init__(self) -> None:
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, rest = self._received.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        if found and len(rest) >= length:
            self._received = rest[length:]
            streamed = b'"stream":true' in rest.replace(b" ", b"")
            answer = _EMBEDDED if b"/embeddings " in head else _STREAM + _STREAMED if streamed else _JSON
            self._transport.write(answer)


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Model, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextlib.contextmanager
def running() -> Iterator[str]:
    """The URL of a model that runs until the end of the block."""
    process = subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve())
