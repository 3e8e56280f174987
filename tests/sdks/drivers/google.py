"""google-genai: its async calls go through aiohttp where that is installed, else through httpx2."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from typing import Any
from unittest import mock

from tests.sdks.scene import QUESTION, TOOL, Play, Scene, Sdk

_MODEL = "gemini-2.5-flash"


def _plays(*, aiohttp: bool) -> Mapping[str, Play]:
    @asynccontextmanager
    async def models(scene: Scene) -> AsyncIterator[Any]:
        api = import_module("google.genai._api_client")
        # What the SDK finds at its import where aiohttp is not installed.
        with mock.patch.object(api, "has_aiohttp", api.has_aiohttp and aiohttp):
            client = import_module("google.genai").Client(
                api_key="any",
                http_options={
                    "base_url": scene.url("generativelanguage.googleapis.com"),
                    "retry_options": {
                        "attempts": scene.retries + 1,
                        "initial_delay": 0.001,
                        "max_delay": 0.001,
                        "jitter": 0.0,
                    },
                },
            )
            if scene.asynchronous:
                async with client.aio as opened:
                    yield opened.models
            else:
                with client as opened:
                    yield opened.models

    async def plain(scene: Scene) -> None:
        async with models(scene) as it:
            assert (await scene.of(it.generate_content(model=_MODEL, contents=QUESTION))).text

    async def streamed(scene: Scene) -> None:
        async with models(scene) as it:
            answer = it.generate_content_stream(model=_MODEL, contents=QUESTION)
            assert len(await scene.read(answer)) > 2

    async def tools(scene: Scene) -> None:
        declared = {"tools": [{"function_declarations": [TOOL]}]}
        async with models(scene) as it:
            answer = await scene.of(it.generate_content(model=_MODEL, contents=QUESTION, config=declared))
            assert answer.function_calls[0].name == "weather"

    async def error(scene: Scene) -> None:
        with suppress(import_module("google.genai.errors").APIError):
            await plain(scene)
            raise AssertionError("it should have failed")

    return {"plain": plain, "streamed": streamed, "tools": tools, "error": error, "retry": plain}


def _of(name: str, *, asynchronous: bool, aiohttp: bool = True) -> Sdk:
    plays = _plays(aiohttp=aiohttp)
    return Sdk(name, "google-genai", plays, asynchronous=asynchronous, provider="gcp.gemini")


SDKS = (
    _of("google-genai, sync", asynchronous=False),
    _of("google-genai, async with aiohttp", asynchronous=True),
    _of("google-genai, async without aiohttp", asynchronous=True, aiohttp=False),
)
