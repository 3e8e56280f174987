"""litellm: OpenAI's models through the openai SDK, others through its own handler (async: on aiohttp)."""

from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from typing import Any

from tests.sdks.scene import QUESTION, TOOL, Play, Scene, Sdk


def _plays(model: str, host: str, path: str) -> Mapping[str, Play]:
    async def ask(scene: Scene, *, read: bool = False, **options: Any) -> Any:
        answer = scene.pick(import_module("litellm"), "completion", "acompletion")(
            model=model,
            messages=[{"role": "user", "content": QUESTION}],
            api_base=scene.url(host, path),
            api_key="any",
            max_retries=0,
            num_retries=scene.retries,
            **options,
        )
        return await (scene.read if read else scene.of)(answer)

    async def plain(scene: Scene) -> None:
        assert (await ask(scene)).choices[0].message.content

    async def streamed(scene: Scene) -> None:
        answer = await ask(scene, stream=True, stream_options={"include_usage": True}, read=True)
        assert len(answer) > 2

    async def tools(scene: Scene) -> None:
        answer = await ask(scene, tools=[{"type": "function", "function": TOOL}])
        assert answer.choices[0].message.tool_calls[0].function.name == "weather"

    async def error(scene: Scene) -> None:
        with suppress(import_module("litellm").RateLimitError):
            await ask(scene)
            raise AssertionError("it should have failed")

    return {"plain": plain, "streamed": streamed, "tools": tools, "error": error, "retry": plain}


_ROUTES = (
    ("openai", "openai/gpt-4o-mini", "api.openai.com", "/v1", "openai"),
    ("anthropic", "anthropic/claude-sonnet-4-5", "api.anthropic.com", "", "anthropic"),
    ("gemini", "gemini/gemini-2.5-flash", "generativelanguage.googleapis.com", "/v1beta", "gcp.gemini"),
    ("ollama", "ollama_chat/llama3.2", "ollama.com", "", "ollama"),
)
SDKS = tuple(
    Sdk(
        f"litellm {name}, {'async' if asynchronous else 'sync'}",
        "litellm",
        _plays(model, host, path),
        asynchronous=asynchronous,
        provider=provider,
        counts_attempts=name == "openai",
    )
    for name, model, host, path, provider in _ROUTES
    for asynchronous in (False, True)
)
