"""What only looks like Bedrock or SageMaker, and bytes that nobody meant."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miharu.kept_body import KEPT_HEAD
from miharu.providers.aws.agents import BedrockAgents
from miharu.providers.aws.converse import BedrockConverse
from miharu.providers.aws.invoke import BedrockInvoke
from miharu.providers.aws.sagemaker import SageMakerInvocations
from miharu.providers.hosts import provider_of
from miharu.recorder.reading.reader import Reader
from tests.nested import nested
from tests.providers.eventstream import chunk, event, exception
from tests.world import exchange

READER = Reader([BedrockConverse(), BedrockInvoke(), BedrockAgents(), SageMakerInvocations()])
RUNTIME = "https://bedrock-runtime.us-east-1.amazonaws.com/model/"
AGENTS = "https://bedrock-agent-runtime.us-east-1.amazonaws.com/"
ENDPOINT = "https://runtime.sagemaker.us-east-1.amazonaws.com/endpoints/mine/"
URLS = (
    f"{RUNTIME}amazon.nova-lite-v1%3A0/converse",
    f"{RUNTIME}amazon.nova-lite-v1%3A0/converse-stream",
    f"{RUNTIME}amazon.nova-lite-v1%3A0/invoke",
    f"{RUNTIME}amazon.nova-lite-v1%3A0/invoke-with-response-stream",
    f"{AGENTS}agents/A/agentAliases/B/sessions/C/text",
    f"{AGENTS}retrieveAndGenerate",
    f"{ENDPOINT}invocations",
    f"{ENDPOINT}invocations-response-stream",
)
NAMES = [
    "usage", "inputTokens", "outputTokens", "cacheDetails", "ttl", "trace", "metadata",
    "messageStop", "stopReason", "results", "choices", "delta", "error", "message", "type", "bytes",
    "serviceTier", "finishReason", "model", "orchestrationTrace", "modelInvocationOutput",
    "inputTextTokenCount", "amazon-bedrock-invocationMetrics",
]  # fmt: skip
NESTED = nested(NAMES)
FRAMES = st.one_of(
    st.tuples(
        st.sampled_from(["messageStart", "contentBlockDelta", "messageStop", "metadata", "trace", "chunk"]),
        NESTED,
    ).map(lambda pair: event(*pair)),
    NESTED.map(chunk),
    st.tuples(st.sampled_from(["throttlingException", ""]), NESTED).map(lambda pair: exception(*pair)),
    st.binary(max_size=40),
    st.binary(max_size=40).map(lambda payload: event("PayloadPart", payload)),
)


@pytest.mark.parametrize(
    "facts",
    [
        {"url": f"{RUNTIME}amazon.nova-lite-v1%3A0/count-tokens", "asked": {}, "body": {"inputTokens": 3}},
        {"url": "https://bedrock-runtime.us-east-1.amazonaws.com/async-invoke", "asked": {}, "body": {}},
        {"url": "https://mine.example/model/3/invoke", "asked": {"x": 1}, "body": {"y": 2}},
        {"url": "https://mine.example/chain/invoke", "asked": {"input": "x"}, "body": {"output": "y"}},
        {"url": "https://mine.example/model/amazon.nova/invoke", "body": {"y": 2}},
        {"url": "https://mine.example/model/amazon.nova/converse", "asked": {"x": 1}, "body": {"y": 2}},
        {"url": "https://mine.example/agents/A/agentAliases/B/sessions/C/text", "asked": {}, "body": b"x"},
        {"url": f"{AGENTS}notes/text", "asked": {}, "body": b"x"},
        {"url": f"{ENDPOINT}invocations", "asked": b"5.1,3.5,1.4", "body": [0.1]},
        {"url": f"{ENDPOINT}invocations", "asked": {"instances": [[5.1]]}, "body": {"predictions": [0]}},
        {"url": "https://mine.example/endpoints/mine/invocations", "asked": {"inputs": "x"}, "body": {}},
    ],
)
def test_what_only_looks_like_a_call_is_none(facts: dict[str, Any]) -> None:
    assert READER.read(exchange(**facts)) is None


@pytest.mark.parametrize(
    ("host", "provider"),
    [
        ("bedrock-runtime.us-east-1.amazonaws.com", "aws.bedrock"),
        ("bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "aws.bedrock"),
        ("bedrock-runtime.cn-north-1.amazonaws.com.cn", "aws.bedrock"),
        ("bedrock-runtime.us-east-1.api.aws", "aws.bedrock"),
        ("vpce-1.bedrock-runtime.us-east-1.vpce.amazonaws.com", "aws.bedrock"),
        ("bedrock-agent-runtime.ap-south-1.amazonaws.com", "aws.bedrock"),
        ("runtime.sagemaker.us-east-1.amazonaws.com", "aws.sagemaker"),
        ("runtime-fips.sagemaker.us-east-1.amazonaws.com", "aws.sagemaker"),
        ("aws-external-anthropic.us-east-1.api.aws", "anthropic"),
        ("aiplatform.eu.rep.googleapis.com", "gcp.vertex_ai"),
        ("bedrock-runtime.us-east-1.amazonaws.com.evil.example", None),
        ("api.sagemaker.us-east-1.amazonaws.com", None),
    ],
)
def test_a_host_has_its_provider(host: str, provider: str | None) -> None:
    assert provider_of(host) == provider


@pytest.mark.parametrize("tier", [None, "default", "priority"])
def test_bedrocks_tier_decides_unless_it_is_the_default_one(tier: str | None) -> None:
    headers = {"x-amzn-bedrock-service-tier": tier} if tier else {}
    answer = {"usage": {"input_tokens": 3, "output_tokens": 2, "service_tier": "standard"}}
    call = READER.read(exchange(URLS[2], asked={"messages": []}, body=answer, headers=headers))
    assert call is not None
    assert call.service_tier == ("priority" if tier == "priority" else "standard")


def test_a_picture_too_large_to_be_kept_whole_is_a_success() -> None:
    body = b'{"images": ["' + b"A" * KEPT_HEAD + b'" behind the hole"], "error": null}'
    call = READER.read(exchange(URLS[2], asked={"taskType": "TEXT_IMAGE"}, body=body))
    assert call is not None
    assert call.outcome.status == "success"


@pytest.mark.parametrize("url", [URLS[1], URLS[3], URLS[4], URLS[7]])
@pytest.mark.parametrize("end", ["eof", "closed"])
def test_a_stream_without_a_byte_is_no_success(url: str, end: Any) -> None:
    call = READER.read(exchange(url, asked={"messages": []}, end=end))
    assert call is not None
    assert call.outcome.status == ("error" if end == "eof" else "cancelled")


@pytest.mark.parametrize("url", URLS)
@given(st.lists(FRAMES, max_size=5), st.data())
def test_frames_of_any_kind_are_one_call(url: str, pieces: list[bytes], data: st.DataObject) -> None:
    """Reordered, truncated, mutated."""
    body = bytearray(b"".join(pieces))
    if body:
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    del body[data.draw(st.integers(0, len(body))) :]
    assert READER.read(exchange(url, asked={"inputs": "x"}, chunks=[b"".join(pieces)])) is not None
    assert READER.read(exchange(url, asked={"inputs": "x"}, chunks=[bytes(body)], end="closed")) is not None


@given(NESTED, NESTED, st.sampled_from([200, 400, 500]))
def test_json_of_any_shape_never_raises(asked: object, answer: object, status: int) -> None:
    for url in URLS:
        READER.read(exchange(url, asked=asked, body=answer, status=status))
        READER.read(
            exchange(url, asked=asked, chunks=[chunk(answer), event("metadata", answer)], status=status)
        )


@given(
    st.binary(max_size=300),
    st.binary(max_size=60),
    st.dictionaries(
        st.sampled_from(
            [
                "x-amzn-bedrock-input-token-count",
                "x-amzn-bedrock-output-token-count",
                "x-amzn-errortype",
                "content-type",
            ]
        ),
        st.text(max_size=20),
    ),
)
def test_hostile_bytes_never_raise(body: bytes, asked: bytes, headers: dict[str, str]) -> None:
    for url in URLS:
        READER.read(exchange(url, asked=asked, body=body, headers=headers))
        READER.read(exchange(url, asked=asked, body=body, headers=headers, status=500))
