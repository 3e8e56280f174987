"""Very many calls at the same moment: all of them are rows."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

import miharu
from miharu.config import Config
from miharu.monitor.left_behind import LeftBehind
from tests.calls import ASKED, URL, rows
from tests.programs import run

HEAD = (
    'data: {"id":"%s","object":"chat.completion.chunk","model":"gpt-4o",'
    '"choices":[{"index":0,"delta":%s}]}\n\n'
)
END = (
    'data: {"id":"%s","object":"chat.completion.chunk","model":"gpt-4o","choices":[{"index":0,"delta":{},'
    '"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":3}}\n\ndata: [DONE]\n\n'
)


class Trickle(httpx2.AsyncByteStream):
    """An answer that comes word by word."""

    def __init__(self, id_: str, words: int, pause: float) -> None:
        self._id, self._words, self._pause = id_, words, pause

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for number in range(self._words):
            yield (HEAD % (self._id, json.dumps({"content": f" word{number}"}))).encode()
            await asyncio.sleep(self._pause)
        yield (END % self._id).encode()


async def _streams(number: int, words: int, pause: float) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        id_ = json.loads(request.content)["user"]
        headers = {"content-type": "text/event-stream"}
        return httpx2.Response(200, headers=headers, stream=Trickle(id_, words, pause))

    async def one(client: httpx2.AsyncClient, id_: str) -> None:
        asked = {**ASKED, "stream": True, "user": id_}
        async with client.stream("POST", URL, json=asked) as response:
            async for _ in response.aiter_bytes():
                pass

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer)) as client:
        await asyncio.gather(*(one(client, f"chatcmpl-{each}") for each in range(number)))


@pytest.mark.parametrize(
    ("number", "words", "pause"),
    [(2000, 4, 0.2), pytest.param(300, 2400, 0.05, marks=pytest.mark.full)],
    ids=["2,000 at once", "two minutes each"],
)
def test_streams_at_the_same_time_are_rows_with_their_usage(
    number: int, words: int, pause: float, database: Path
) -> None:
    miharu.init(database)
    asyncio.run(_streams(number, words, pause))
    assert miharu.flush(60)
    found = rows(database)
    assert {row["response_id"] for row in found} == {f"chatcmpl-{each}" for each in range(number)}
    assert len(found) == number
    kept = {(row["status"], row["prompt_tokens"], row["completion_tokens"], row["stream"]) for row in found}
    assert kept == {("success", 9, 3, 1)}
    assert all(row["duration_ms"] >= (words - 1) * pause * 1000 for row in found)
    assert miharu.stats()["dropped"] == miharu.stats()["shed"] == 0


IN_FLIGHT = f"""
import asyncio, sys, miharu
miharu.init(sys.argv[1])
import httpx2

begun = 0

async def answer(request):
    global begun
    begun += 1
    await asyncio.Event().wait()

async def main():
    client = httpx2.AsyncClient(transport=httpx2.MockTransport(answer), timeout=None)
    calls = []
    for _ in range(10_000):
        calls.append(asyncio.ensure_future(client.post({URL!r}, json={ASKED!r})))
    while begun < 10_000:
        await asyncio.sleep(0)

asyncio.run(main())
"""


def test_calls_in_flight_at_the_end_of_a_program_are_rows(database: Path) -> None:
    run(IN_FLIGHT, database)
    LeftBehind(Config.resolve(database)).bring_in(60)
    assert Counter(row["status"] for row in rows(database)) == {"cancelled": 10_000}
