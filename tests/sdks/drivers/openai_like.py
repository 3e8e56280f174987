"""groq and together: SDKs of OpenAI's making that speak dialects of its chat."""

from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from typing import Any

from tests.sdks.scene import QUESTION, TOOL, Play, Scene, Sdk

_SAID = [{"role": "user", "content": QUESTION}]


def _plays(module: str, name: str, host: str, prefix: str, model: str) -> Mapping[str, Play]:
    async def ask(scene: Scene, *, read: bool = False, **options: Any) -> Any:
        made = scene.pick(import_module(module), name)(
            base_url=scene.url(host, prefix), api_key="any", max_retries=scene.retries
        )
        async with scene.within(made) as client:
            answer = client.chat.completions.create(model=model, messages=_SAID, **options)
            return await (scene.read if read else scene.of)(answer)

    async def plain(scene: Scene) -> None:
        assert (await ask(scene)).choices[0].message.content

    async def streamed(scene: Scene) -> None:
        assert len(await ask(scene, stream=True, read=True)) > 2

    async def tools(scene: Scene) -> None:
        answer = await ask(scene, tools=[{"type": "function", "function": TOOL}])
        assert answer.choices[0].message.tool_calls[0].function.name == "weather"

    async def error(scene: Scene) -> None:
        with suppress(import_module(module).RateLimitError):
            await ask(scene)
            raise AssertionError("it should have failed")

    return {"plain": plain, "streamed": streamed, "tools": tools, "error": error, "retry": plain}


_GROQ = _plays("groq", "Groq", "api.groq.com", "", "llama-3.3-70b-versatile")
_TOGETHER = _plays(
    "together", "Together", "api.together.ai", "/v1", "meta-llama/Llama-3.3-70B-Instruct-Turbo"
)
SDKS = tuple(
    Sdk(
        f"{name}, {'async' if asynchronous else 'sync'}",
        name,
        plays,
        asynchronous=asynchronous,
        provider=name,
        counts_attempts=True,
    )
    for name, plays in (("groq", _GROQ), ("together", _TOGETHER))
    for asynchronous in (False, True)
)
