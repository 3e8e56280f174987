"""The real OpenAI SDK, which reads answers in ways of its own."""

from typing import Any

import openai

from .world import NO_TLS, World, scenario

ASK: dict[str, Any] = {"model": "gpt-x", "messages": [{"role": "user", "content": "hi"}]}
ONLY = ("httpx2",)


class _Sdk:
    def __init__(self, w: World) -> None:
        self.w = w
        make: Any = openai.OpenAI if w.sync else openai.AsyncOpenAI
        http = (openai.DefaultHttpxClient if w.sync else openai.DefaultAsyncHttpxClient)(verify=NO_TLS)
        url = f"{w.server.url}/auto/v1"
        self.client: Any = make(api_key="sk-x", base_url=url, max_retries=0, http_client=http)

    async def __aenter__(self) -> Any:
        return self.client.chat.completions

    async def __aexit__(self, *_: object) -> None:
        await self.w.settle()
        self.w.note_pool(self.client._client)
        await self.w.wait(self.client.close())


@scenario("eof", libraries=ONLY)
async def sdk_plain(w: World) -> None:
    async with _Sdk(w) as chat:
        w.note((await w.wait(chat.create(**ASK))).model_dump())


async def _streamed(w: World, *, leave: bool) -> None:
    async with _Sdk(w) as chat:
        stream = await w.wait(chat.create(stream=True, **ASK))
        if w.sync:
            for chunk in stream:
                w.note(chunk.model_dump())
                if leave:
                    break
        else:
            async for chunk in stream:
                w.note(chunk.model_dump())
                if leave:
                    break
        await w.wait(stream.close())
        w.note_response(stream.response)


@scenario("whole", libraries=ONLY)
async def sdk_stream(w: World) -> None:
    await _streamed(w, leave=False)


@scenario("closed", libraries=ONLY)
async def sdk_stream_left_early(w: World) -> None:
    await _streamed(w, leave=True)


@scenario("eof", libraries=ONLY)
async def sdk_with_raw_response(w: World) -> None:
    async with _Sdk(w) as chat:
        raw = await w.wait(chat.with_raw_response.create(**ASK))
        w.note(
            raw.status_code, raw.text if isinstance(raw.text, str) else raw.text(), raw.parse().model_dump()
        )
        w.note(raw.elapsed.total_seconds() > 0)


@scenario("eof", libraries=ONLY)
async def sdk_with_streaming_response(w: World) -> None:
    async with _Sdk(w) as chat:
        if w.sync:
            with chat.with_streaming_response.create(**ASK) as response:
                w.note(list(response.iter_lines()))
        else:
            async with chat.with_streaming_response.create(**ASK) as response:
                w.note([line async for line in response.iter_lines()])


@scenario("closed", libraries=ONLY)
async def sdk_with_streaming_response_unread(w: World) -> None:
    async with _Sdk(w) as chat:
        if w.sync:
            with chat.with_streaming_response.create(**ASK) as response:
                w.note(response.status_code)
        else:
            async with chat.with_streaming_response.create(**ASK) as response:
                w.note(response.status_code)


@scenario("eof", "eof", "eof", libraries=ONLY)
async def sdk_retries(w: World) -> None:
    make: Any = openai.OpenAI if w.sync else openai.AsyncOpenAI
    body = b'{"error":{"message":"slow down"}}'
    answer = w.library.MockTransport(lambda request: w.library.Response(429, content=body))
    async with w.client(transport=answer) as http:
        client: Any = make(api_key="sk-x", max_retries=2, http_client=http)
        client._sleep_for_retry = _at_once if w.sync else _at_once_too
        with w.failing():
            await w.wait(client.chat.completions.create(**ASK))
    w.said = [body] * 3


def _at_once(**_: Any) -> None: ...


async def _at_once_too(**_: Any) -> None: ...
