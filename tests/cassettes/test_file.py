"""The file: what is written is read again, and what cannot be read says where and why."""

import json
from pathlib import Path
from typing import Any

import pytest

from miharu.cassettes.file import acted_upon, as_text, load, save
from miharu.cassettes.question import normal
from miharu.cassettes.recorded import Asked, Recorded
from miharu.errors import ConfigError

JSON = {"content-type": "application/json"}
EVENTS = {"content-type": "text/event-stream"}
FORM = (
    b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF\0\r\n--b--\r\n'
)
ASKED: Any = {"model": "m", "messages": [{"role": "user", "content": "Huế 🌧"}], "temperature": 0.5, "n": None}


@pytest.mark.parametrize(
    "one",
    [
        Recorded(
            asked=Asked(path="/v1/x", body=ASKED), status=200, headers=JSON, pieces=(b'{"a":"\xc3\xbc"}',)
        ),
        Recorded(asked=Asked(path="/v1/x", body=["a", 1]), status=204),
        Recorded(asked=Asked(path="/v1/x", body=normal(b"not JSON", {})), status=200, pieces=(b"words",)),
        Recorded(
            asked=Asked(path="/v1/x", body=normal(FORM, {"content-type": "multipart/form-data; boundary=b"})),
            status=200,
            headers={"content-type": "audio/mpeg"},
            pieces=(b"\xff\xfb\x90\0",),
        ),
        Recorded(
            asked=Asked(api="openai.chat", model="m", stream=True, host="api.openai.com"),
            status=200,
            headers=EVENTS,
            pieces=(b"data: 1\n\n", b"data: [DONE]\n\n"),
            at_ms=(
                4,
                9,
            ),
            ttft_ms=4,
            duration_ms=9,
        ),
        Recorded(
            asked=Asked(path="/v1/x"),
            status=200,
            headers=EVENTS,
            pieces=(
                b"data: \xc3",
                b"\xbc\n\n",
            ),
            at_ms=(
                1,
                2,
            ),
        ),
        Recorded(asked=Asked(path="/v1/x"), error_type="httpx.ReadTimeout", error_message="so"),
    ],
)
def test_what_is_written_is_read_again(one: Recorded, tmp_path: Path) -> None:
    file = tmp_path / "deep" / "c.json"
    save(file, [one])
    [again] = load(file)
    assert again == one
    assert type(again.asked.body) is type(one.asked.body)
    assert as_text([again]) == file.read_text()


def test_a_person_can_read_it() -> None:
    said = [b'data: {"x": "\xc3\xbc"}\n\n', b"data: [DONE]\n\n"]
    text = as_text([Recorded(asked=Asked(path="/v1/x", body=ASKED), status=200, headers=EVENTS, pieces=said)])
    assert '"content": "Huế 🌧"' in text
    assert '"data: {\\"x\\": \\"ü\\"}\\n\\n",\n' in text
    assert max(map(len, text.splitlines())) < 60


def test_of_headers_only_those_are_kept_that_an_sdk_acts_upon() -> None:
    found = acted_upon(
        {
            "Content-Type": "application/json",
            "Set-Cookie": "session=1",
            "Authorization": "Bearer x",
            "Retry-After": "2",
            "openai-organization": "acme",
            "anthropic-ratelimit-requests-limit": "5",
            "request-id": "sk-ant-api03-" + "x" * 80,
        }
    )
    assert found == {
        "anthropic-ratelimit-requests-limit": "5",
        "content-type": "application/json",
        "request-id": "[redacted]",
        "retry-after": "2",
    }


def exchange(**changes: Any) -> str:
    one: Any = {"request": {"path": "/x"}, "response": {"status": 200, "json": {}}}
    return json.dumps({"miharu_cassette": 1, "exchanges": [one, one | changes]})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is not valid JSON"),
        ("[]", "is not a cassette"),
        ('{"version": 1}', "is not a cassette"),
        ('{"miharu_cassette": 2, "exchanges": []}', "has version 2, and this miharu reads version 1"),
        ('{"miharu_cassette": 1}', 'no list of "exchanges"'),
        (exchange(request=[]), 'exchange 2 of the cassette .* has no "request"'),
        (exchange(response=None), 'exchange 2 .* neither a "response" nor an "error"'),
        (exchange(response={"status": "200"}), "exchange 2 .* '200' is not an HTTP status"),
        (exchange(response={"status": 200, "base64": "é"}), "exchange 2 .* cannot be read"),
        (exchange(response={"status": 200, "json": 1, "text": ""}), "exchange 2 .* this one has json, text"),
        (exchange(response={"status": 200, "text": 7}), "exchange 2 .* has to be text"),
        (exchange(request={"path": 7}), "exchange 2 .* path is 7, and has to be text"),
    ],
)
def test_what_cannot_be_read_says_where_and_why(text: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "c.json"
    file.write_text(text)
    with pytest.raises(ConfigError, match=words):
        load(file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing\.json cannot be read: No such file"):
        load(tmp_path / "missing.json")
