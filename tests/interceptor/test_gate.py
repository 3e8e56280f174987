import pytest

from miharu.interceptor.gate import Gate
from miharu.providers.base import Rule

GATE = Gate(
    [
        Rule("/chat/completions"),
        Rule(":generateContent"),
        Rule(host=".endpoints.huggingface.cloud"),
        Rule("/responses", method="GET"),
        Rule("/videos", host="api.x.ai"),
        Rule("/requests", host="queue.fal.run", method="GET"),
    ]
)


@pytest.mark.parametrize(
    ("method", "host", "path", "passes"),
    [
        ("POST", "x", "/v1/chat/completions", True),
        ("POST", "x", "/v1/chat/completions/", True),
        ("POST", "x", "/v1/models/gemini:generateContent", True),
        ("POST", "abc.endpoints.huggingface.cloud", "/", True),
        ("GET", "x", "/v1/responses/resp_1", True),
        ("GET", "x", "/v1/chat/completions", False),
        ("GET", "x", "/v1/responses", False),
        ("GET", "x", "/v1/responses/resp_1/input_items", False),
        ("POST", "x", "/v1/responses/resp_1", False),
        ("POST", "api.x.ai", "/v1/videos", True),
        ("POST", "mine", "/v1/videos", False),
        ("GET", "queue.fal.run", "/fal-ai/flux/requests/7", True),
        ("GET", "mine", "/requests/7", False),
        ("POST", "x", "/", False),
        ("POST", "x", "", False),
        ("PUT", "x", "/v1/chat/completions", False),
        ("POST", "endpoints.huggingface.cloud.evil", "/", False),
    ],
)
def test_what_passes(method: str, host: str, path: str, passes: bool) -> None:
    assert GATE.passes(method, host, path) is passes


def test_it_can_be_widened() -> None:
    gate = Gate([])
    assert not gate.passes("POST", "x", "/talk")
    gate.widen([Rule("/talk")])
    assert gate.passes("POST", "x", "/talk")
