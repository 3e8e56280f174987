import json
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miharu.call import Body, Call, Outcome
from miharu.dashboard.call.curl import curl


def call(**facts: object) -> Call:
    plain: dict[str, object] = {
        "id": "x",
        "timestamp": 0,
        "api": "openai.chat",
        "provider": "openai",
        "host": "api.openai.com",
        "model": "gpt-6",
        "outcome": Outcome(status="success"),
    }
    return Call(**{**plain, **facts})  # type: ignore[arg-type]


def words(one: Call) -> list[str]:
    command = curl(one)
    assert command is not None
    return shlex.split(command.replace("\\\n", " "))


def test_asks_the_same_with_the_key_from_the_shell() -> None:
    body = {"model": "gpt-6", "messages": [{"role": "user", "content": "It's 5 o'clock"}]}
    found = words(call(body=Body(request=json.dumps(body).encode(), response=None)))
    assert found[:2] == ["curl", "https://api.openai.com/v1/chat/completions"]
    assert "authorization: Bearer $OPENAI_API_KEY" in found
    assert json.loads(found[-1]) == body


@pytest.mark.parametrize(
    ("facts", "url", "key"),
    [
        (
            {"api": "anthropic.messages", "provider": "anthropic", "host": "api.anthropic.com"},
            "https://api.anthropic.com/v1/messages",
            "x-api-key: $ANTHROPIC_API_KEY",
        ),
        (
            {"api": "gemini.generate", "provider": "gcp.gemini", "host": "g.example", "model": "models/g-3"},
            "https://g.example/v1beta/models/g-3:generateContent",
            "x-goog-api-key: $GEMINI_API_KEY",
        ),
        (
            {"provider": "groq", "host": "api.groq.com"},
            "https://api.groq.com/openai/v1/chat/completions",
            "authorization: Bearer $GROQ_API_KEY",
        ),
        ({"provider": None, "host": "127.0.0.1:8000"}, "http://127.0.0.1:8000/v1/chat/completions", None),
    ],
)
def test_knows_where_and_by_which_header(facts: dict[str, object], url: str, key: str | None) -> None:
    found = words(call(**facts))
    assert found[1] == url
    assert (key in found) if key else not any("KEY" in word for word in found)


def test_says_that_the_request_was_not_kept() -> None:
    assert "the request was not kept" in words(call())[-1]


def test_a_long_request_stands_in_a_file_of_its_own() -> None:
    long = call(id="0192-4a'; rm x", body=Body(request=b"x" * 300_000, response=None))
    assert words(long)[-1] == "@0192-4armx-request.json"


@pytest.mark.parametrize("host", [None, "", "a b", "x;rm -rf ~", "$(id).example", "ann:pw@x.example"])
def test_gives_no_command_for_what_is_no_host(host: str | None) -> None:
    assert curl(call(host=host)) is None


@given(st.text(max_size=200), st.text(max_size=40))
def test_quotes_whatever_was_said(text: str, model: str) -> None:
    """One word of data, nothing that a terminal would act upon."""
    sent = text.encode("utf-8", "replace")
    found = curl(call(model=model, body=Body(request=sent or b"-", response=None), api="gemini.generate"))
    assert found is not None
    assert not any(ord(char) < 32 and char not in "\n\t" for char in found)
    parsed = shlex.split(found.replace("\\\n  ", " ", 4))
    assert parsed[-2] == "-d"
    assert len(parsed) == 8
