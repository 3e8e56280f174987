"""An agent with each SDK: its tool fails, and that it ran is told by the request that brings its result."""

import json
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.sdks.conftest import Played, installed
from tests.sdks.drivers.bedrock import LLAMA, runtime
from tests.sdks.scene import QUESTION, TOOL, Scene, Sdk

FAILURE = "no weather today"
_FUNCTION = {"type": "function", "function": TOOL}
_SCHEMA = {"name": TOOL["name"], "input_schema": TOOL["parameters"]}
_SAID = {"role": "user", "content": QUESTION}


def _openai(scene: Scene) -> Any:
    return import_module("openai").OpenAI(base_url=scene.url("api.openai.com", "/v1"), api_key="any")


async def _chat(scene: Scene) -> None:
    asked: dict[str, Any] = {"model": "gpt-4o", "messages": [_SAID], "tools": [_FUNCTION]}
    with _openai(scene) as client:
        message = client.chat.completions.create(**asked).choices[0].message
        result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": FAILURE}
        client.chat.completions.create(**asked | {"messages": [_SAID, message, result]})


async def _responses(scene: Scene) -> None:
    asked: dict[str, Any] = {"model": "gpt-4o", "tools": [{"type": "function", **TOOL}]}
    with _openai(scene) as client:
        output = client.responses.create(input=[_SAID], **asked).output
        [call] = [item for item in output if item.type == "function_call"]
        result = {"type": "function_call_output", "call_id": call.call_id, "output": FAILURE}
        client.responses.create(input=[_SAID, *output, result], **asked)


async def _claude(scene: Scene) -> None:
    with import_module("anthropic").Anthropic(
        base_url=scene.url("api.anthropic.com"), api_key="any"
    ) as client:
        asked: dict[str, Any] = {"model": "claude-sonnet-5-5", "max_tokens": 100, "tools": [_SCHEMA]}
        answer = client.messages.create(messages=[_SAID], **asked)
        result = {
            "type": "tool_result",
            "tool_use_id": answer.content[0].id,
            "content": FAILURE,
            "is_error": True,
        }
        brought = [
            _SAID,
            {"role": "assistant", "content": answer.content},
            {"role": "user", "content": [result]},
        ]
        client.messages.create(messages=brought, **asked)


async def _gemini(scene: Scene) -> None:
    types = import_module("google.genai.types")
    with import_module("google.genai").Client(
        api_key="any", http_options={"base_url": scene.url("generativelanguage.googleapis.com")}
    ) as client:
        asked: dict[str, Any] = {
            "model": "gemini-2.5-flash",
            "config": {"tools": [{"function_declarations": [TOOL]}]},
        }
        answer = client.models.generate_content(contents=QUESTION, **asked)
        said = types.Content(role="user", parts=[types.Part(text=QUESTION)])
        failed = types.Part.from_function_response(name="weather", response={"error": FAILURE})
        brought = [said, answer.candidates[0].content, types.Content(role="user", parts=[failed])]
        client.models.generate_content(contents=brought, **asked)


async def _converse(scene: Scene) -> None:
    spec = {"name": TOOL["name"], "inputSchema": {"json": TOOL["parameters"]}}
    said = {"role": "user", "content": [{"text": QUESTION}]}
    asked: dict[str, Any] = {"modelId": LLAMA, "toolConfig": {"tools": [{"toolSpec": spec}]}}
    with closing(runtime(scene)) as client:
        message = client.converse(messages=[said], **asked)["output"]["message"]
        used = message["content"][0]["toolUse"]["toolUseId"]
        result = {"toolUseId": used, "content": [{"text": FAILURE}], "status": "error"}
        brought = [said, message, {"role": "user", "content": [{"toolResult": result}]}]
        client.converse(messages=brought, **asked)


async def _mistral(scene: Scene) -> None:
    with import_module("mistralai.client").Mistral(
        api_key="any", server_url=scene.url("api.mistral.ai")
    ) as client:
        asked: dict[str, Any] = {"model": "mistral-small-latest", "tools": [_FUNCTION]}
        message = client.chat.complete(messages=[_SAID], **asked).choices[0].message
        result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": FAILURE}
        client.chat.complete(messages=[_SAID, message, result], **asked)


async def _cohere(scene: Scene) -> None:
    with import_module("cohere").ClientV2(api_key="any", base_url=scene.url("api.cohere.com")) as client:
        asked: dict[str, Any] = {"model": "command-r-08-2024", "tools": [_FUNCTION]}
        message = client.chat(messages=[_SAID], **asked).message
        called = {"role": "assistant", "tool_calls": message.tool_calls}
        result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": FAILURE}
        client.chat(messages=[_SAID, called, result], **asked)


async def _ollama(scene: Scene) -> None:
    client = import_module("ollama").Client(host=scene.url("127.0.0.1"))
    with closing(client._client):
        await _of_ollama(client)


async def _of_ollama(client: Any) -> None:
    asked: dict[str, Any] = {"model": "llama3.2", "tools": [_FUNCTION]}
    message = client.chat(messages=[_SAID], **asked).message
    result = {"role": "tool", "tool_name": "weather", "content": FAILURE}
    client.chat(messages=[_SAID, message, result], **asked)


def _loop(name: str, package: str, play: Callable[[Scene], Awaitable[None]], *, told: bool = False) -> object:
    return pytest.param(
        Sdk(name, package, {"tools": play}, provider=package),
        told,
        id=name,
        marks=pytest.mark.skipif(
            installed(Sdk(name, package, {}, provider=package)) is None,
            reason=f"{package} is not installed",
        ),
    )


@pytest.mark.parametrize(
    ("sdk", "told"),
    [
        _loop("chat", "openai", _chat),
        _loop("responses", "openai", _responses),
        _loop("anthropic", "anthropic", _claude, told=True),
        _loop("gemini", "google-genai", _gemini, told=True),
        _loop("bedrock", "boto3", _converse, told=True),
        _loop("mistral", "mistralai", _mistral),
        _loop("cohere", "cohere", _cohere),
        _loop("ollama", "ollama", _ollama),
    ],
)
def test_a_tool_that_nobody_observes_is_known_to_have_run(
    sdk: Sdk, told: bool, play: Any, tmp_path: Path
) -> None:
    played: Played = play(sdk, "tools")
    assert played.error is None
    assert not played.failures
    assert len(played.rows) == 2
    with closing(sqlite3.connect(tmp_path / "calls.db")) as connection:
        [(name, status, kind, tags)] = connection.execute("SELECT name, status, kind, tags FROM llm_spans")
    assert (name, kind, status) == ("weather", "execute_tool", "error" if told else "success")
    assert ("miharu.untold" in json.loads(tags)) is not told
