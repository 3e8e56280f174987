"""requests to a server that speaks OpenAI's chat, as scripts do it."""

import json
from importlib import import_module
from typing import Any

from tests.sdks.scene import QUESTION, TOOL, Scene, Sdk

_ASKED = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": QUESTION}]}


def _post(scene: Scene, *, stream: bool = False, **options: Any) -> Any:
    requests = import_module("requests")
    retry = import_module("urllib3.util").Retry(
        total=scene.retries, status_forcelist=(429, 503), allowed_methods=None, raise_on_status=False
    )
    with requests.Session() as session:
        session.trust_env = False
        session.mount("http://", import_module("requests.adapters").HTTPAdapter(max_retries=retry))
        url = scene.url("api.openai.com", "/v1/chat/completions")
        asked = _ASKED | options | ({"stream": True} if stream else {})
        answer = session.post(url, json=asked, headers={"authorization": "Bearer any"}, stream=stream)
        return list(answer.iter_lines()) if stream else answer


async def _plain(scene: Scene) -> None:
    assert _post(scene).json()["choices"][0]["message"]["content"]


async def _streamed(scene: Scene) -> None:
    lines = _post(scene, stream=True, stream_options={"include_usage": True})
    assert lines[-2] == b"data: [DONE]"
    assert json.loads(lines[0].removeprefix(b"data: "))["choices"]


async def _tools(scene: Scene) -> None:
    answer = _post(scene, tools=[{"type": "function", "function": TOOL}]).json()
    assert answer["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "weather"


async def _error(scene: Scene) -> None:
    assert _post(scene).status_code == 429


_PLAYS = {"plain": _plain, "streamed": _streamed, "tools": _tools, "error": _error, "retry": _plain}
SDKS = (Sdk("requests, sync", "requests", _PLAYS, provider="openai"),)
