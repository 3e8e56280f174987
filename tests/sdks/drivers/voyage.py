"""voyageai: embeddings; sync over requests, async over aiohttp."""

from contextlib import suppress
from importlib import import_module
from typing import Any

from tests.sdks.scene import QUESTION, Scene, Sdk


async def _plain(scene: Scene) -> None:
    client: Any = scene.pick(import_module("voyageai"), "Client")(
        api_key="any",
        max_retries=scene.retries + 1,  # it counts the first one, too
        base_url=scene.url("api.voyageai.com", "/v1"),
    )
    assert (await scene.of(client.embed([QUESTION], model="voyage-3-large"))).embeddings[0]


async def _error(scene: Scene) -> None:
    with suppress(import_module("voyageai.error").RateLimitError):
        await _plain(scene)
        raise AssertionError("it should have failed")


_PLAYS = {"plain": _plain, "error": _error, "retry": _plain}
SDKS = (
    Sdk("voyageai, sync", "voyageai", _PLAYS, provider="voyageai"),
    Sdk("voyageai, async", "voyageai", _PLAYS, asynchronous=True, provider="voyageai"),
)
