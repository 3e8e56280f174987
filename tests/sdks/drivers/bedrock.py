"""boto3's Bedrock runtime, and langchain-aws over it."""

import json
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from typing import Any

from tests.sdks.scene import QUESTION, TOOL, Play, Scene, Sdk

__all__ = ("LLAMA", "SDKS", "runtime")

LLAMA = "us.meta.llama3-3-70b-instruct-v1:0"
_CLAUDE = "anthropic.claude-sonnet-4-5-20250929-v1:0"
_TITAN = "amazon.titan-embed-text-v2:0"
_HOST = "bedrock-runtime.us-east-1.amazonaws.com"
_SAID = [{"role": "user", "content": [{"text": QUESTION}]}]
_SPEC = {
    "name": TOOL["name"],
    "description": TOOL["description"],
    "inputSchema": {"json": TOOL["parameters"]},
}
_TOOLS = {"tools": [{"toolSpec": _SPEC}]}


def runtime(scene: Scene, path: str = "") -> Any:
    """A client of the Bedrock runtime, which tries as often as the scene says."""
    config = import_module("botocore.config").Config(
        retries={"total_max_attempts": scene.retries + 1, "mode": "standard"}
    )
    session = import_module("boto3").Session(
        aws_access_key_id="any", aws_secret_access_key="any", region_name="us-east-1"
    )
    return session.client("bedrock-runtime", endpoint_url=scene.url(_HOST, path), config=config)


async def _plain(scene: Scene) -> None:
    answer = runtime(scene).converse(modelId=LLAMA, messages=_SAID)
    assert answer["output"]["message"]["content"][0]["text"]


async def _streamed(scene: Scene) -> None:
    stream = runtime(scene).converse_stream(modelId=LLAMA, messages=_SAID)["stream"]
    assert [next(iter(event)) for event in stream][-1] == "metadata"


async def _tools(scene: Scene) -> None:
    answer = runtime(scene).converse(modelId=LLAMA, messages=_SAID, toolConfig=_TOOLS)
    assert answer["output"]["message"]["content"][0]["toolUse"]["input"] == {"city": "Hue"}


def _failing(play: Play) -> Play:
    async def error(scene: Scene) -> None:
        with suppress(import_module("botocore.exceptions").ClientError):
            await play(scene)
            raise AssertionError("it should have failed")

    return error


_ASKED = {
    "anthropic_version": "bedrock-2023-05-31",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": QUESTION}],
}


async def _invoked(scene: Scene, **options: Any) -> Any:
    answer = runtime(scene).invoke_model(modelId=_CLAUDE, body=json.dumps(_ASKED | options))
    return json.loads(answer["body"].read())


async def _invoked_plain(scene: Scene) -> None:
    assert (await _invoked(scene))["content"][0]["text"]


async def _invoked_streamed(scene: Scene) -> None:
    answer = runtime(scene).invoke_model_with_response_stream(modelId=_CLAUDE, body=json.dumps(_ASKED))
    chunks = [json.loads(event["chunk"]["bytes"]) for event in answer["body"]]
    assert chunks[-1]["type"] == "message_stop"


async def _invoked_tools(scene: Scene) -> None:
    tool = {"name": TOOL["name"], "description": TOOL["description"], "input_schema": TOOL["parameters"]}
    assert (await _invoked(scene, tools=[tool]))["content"][0]["name"] == "weather"


async def _embedded(scene: Scene) -> None:
    answer = runtime(scene).invoke_model(modelId=_TITAN, body=json.dumps({"inputText": QUESTION}))
    assert json.loads(answer["body"].read())["embedding"]


def _chat(scene: Scene) -> Any:
    return import_module("langchain_aws").ChatBedrockConverse(model=LLAMA, client=runtime(scene))


async def _chat_plain(scene: Scene) -> None:
    chat = _chat(scene)
    assert (await scene.of((chat.ainvoke if scene.asynchronous else chat.invoke)(QUESTION))).content


async def _chat_streamed(scene: Scene) -> None:
    chat = _chat(scene)
    assert len(await scene.read((chat.astream if scene.asynchronous else chat.stream)(QUESTION))) > 2


async def _chat_tools(scene: Scene) -> None:
    chat = _chat(scene).bind_tools([{"type": "function", "function": TOOL}])
    answer = await scene.of((chat.ainvoke if scene.asynchronous else chat.invoke)(QUESTION))
    assert answer.tool_calls[0]["name"] == "weather"


def _plays(plain: Play, **others: Play) -> Mapping[str, Play]:
    return {"plain": plain, **others, "error": _failing(plain), "retry": plain}


_FACTS: dict[str, Any] = {"provider": "aws.bedrock", "counts_attempts": True}
_CHAT = _plays(_chat_plain, streamed=_chat_streamed, tools=_chat_tools)
SDKS = (
    Sdk("boto3 converse, sync", "boto3", _plays(_plain, streamed=_streamed, tools=_tools), **_FACTS),
    Sdk(
        "boto3 invoke_model, sync",
        "boto3",
        _plays(_invoked_plain, streamed=_invoked_streamed, tools=_invoked_tools),
        **_FACTS,
    ),
    Sdk("boto3 embeddings, sync", "boto3", _plays(_embedded), **_FACTS),
    Sdk("langchain-aws, sync", "langchain-aws", _CHAT, **_FACTS),
    Sdk("langchain-aws, async", "langchain-aws", _CHAT, asynchronous=True, **_FACTS),
)
