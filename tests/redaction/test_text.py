import base64
import json
import random
import string
import time
import tracemalloc
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miharu.redaction.slices import SLICE
from miharu.redaction.text import MARGIN, cut, redacted, redacted_bytes

SECRET = "planted/Zx9+Qw7=Er5"
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@pytest.mark.parametrize(
    "text",
    [
        f'{{"api_key":"{SECRET}"}}',
        f'{{"apiKey" : "{SECRET}" , "b":1}}',
        f'{{"authorization_token":"{SECRET}"}}',
        f'{{"tools":[{{"type":"mcp","authorization":"{SECRET}"}}]}}',
        f'{{"tools":[{{"headers":{{"X-Anything":"{SECRET}","Accept":"a"}}}}]}}',
        f'{{"tools":[{{"server_url":"https://mcp.example/x?anything={SECRET}"}}]}}',
        '{"tools":[{"server_url":"https://mcp.example/s/planted0Zx9Qw7Er5/mcp"}]}',
        f'{{"data_sources":[{{"parameters":{{"authentication":{{"type":"api_key","key":"{SECRET}"}}}}}}]}}',
        f'{{"dataSources":[{{"parameters":{{"endpoint":"x","key":"{SECRET}"}}}}]}}',
        f'{{"credentials":{{"aws":{{"anything":["{SECRET}"]}}}}}}',
        f'{{"cookies":[{{"name":"sid","value":"{SECRET}"}}]}}',
        f'{{"name":"x-api-key","value":"{SECRET}"}}',
        f'[["authorization","Bearer {SECRET}"]]',
        f"[(b'authorization', b'Bearer {SECRET}')]",
        json.dumps({"arguments": json.dumps({"password": SECRET})}),
        json.dumps({"a": json.dumps({"b": json.dumps({"client_secret": SECRET})})}),
        json.dumps({"a": {"access_token": SECRET}}, indent=2),
        json.dumps({"text": json.dumps({"access_token": SECRET}, indent=2)}),
        f'{{"password":"{SECRET}',
        '{"password": 9753102468}',
        f"{{'error': {{'api_key': '{SECRET}'}}}}",
        f"https://host/v1?key={quote(SECRET, safe='')}&alt=sse",
        f"https://host/v1?alt=sse&code={quote(SECRET, safe='')}",
        f"https://host/?to=https%3A%2F%2Fa%3Ftoken%3D{quote(quote(SECRET, safe=''), safe='')}",
        f'{{"url":"https:\\/\\/host\\/?key\\u003d{SECRET}\\u0026b=1"}}',
        f"https://host/?X-Amz-Signature={SECRET}&X-Amz-Credential={SECRET}",
        f"grant_type=a&client_secret={quote(SECRET, safe='')}",
        f"code={quote(SECRET, safe='')}&grant_type=a",
        f'Content-Disposition: form-data; name="api_key"\r\n\r\n{SECRET}\r\n--b',
        f"Authorization: Bearer {SECRET}",
        f"authorization: Token {SECRET}\r\nhost: x",
        f"Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/a, Signature={SECRET}",
        f"x-api-key: {SECRET}",
        f"Cookie: theme=dark; sid={SECRET}; a=b",
        f"export OPENAI_API_KEY={SECRET}",
        f"AccountName=a;AccountKey={SECRET};EndpointSuffix=x",
        f'client = OpenAI(api_key="{SECRET}")',
        f"<ApiKey>{SECRET}</ApiKey>",
        f"postgresql://user:{quote(SECRET, safe='')}@host/db",
        f"https://user:{SECRET}@host/path",
        "sk-proj-Zx9Qw7Er5Ty3Ui1Op",
        "sk-ant-api03-Zx9Qw7Er5Ty3Ui1Op",
        "AIzaSyZx9Qw7Er5Ty3Ui1OpAs2Df4Gh6",
        "ghp_Zx9Qw7Er5Ty3Ui1OpAs2",
        "github_pat_Zx9Qw7Er5Ty3Ui1OpAs2",
        "hf_Zx9Qw7Er5Ty3Ui1OpAs2",
        "gsk_Zx9Qw7Er5Ty3Ui1OpAs2",
        "xai-Zx9Qw7Er5Ty3Ui1OpAs2",
        "AKIAZX9QW7ER5TY3UI1O",
        "ASIAZX9QW7ER5TY3UI1O",
        "pplx-Zx9Qw7Er5Ty3Ui1OpAs2",
        "r8_Zx9Qw7Er5Ty3Ui1OpAs2",
        "nvapi-Zx9Qw7Er5Ty3Ui1OpAs2",
        "glpat-Zx9Qw7Er5Ty3Ui1OpAs2",
        "ya29.Zx9Qw7Er5Ty3Ui1OpAs2",
        "sk_live_Zx9Qw7Er5Ty3Ui1OpAs2",
        "xoxb-1234567890-Zx9Qw7Er5",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.Zx9Qw7Er5",
        "https://hooks.slack.com/services/T0001/B0001/Zx9Qw7Er5",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEZx9Qw7Er5\n-----END RSA PRIVATE KEY-----",
        '{"pem":"-----BEGIN PRIVATE KEY-----\\nMIIEZx9Qw7Er5\\n-----END PRIVATE KEY-----\\n"}',
        "Bearer Zx9Qw7Er5Ty3Ui1Op",
        f"Basic {base64.b64encode(b'user:Zx9Qw7Er5').decode()}",
        '{"text":"use\\nsk-proj-Zx9Qw7Er5Ty3Ui1Op"}',
        "a%20sk-proj-Zx9Qw7Er5Ty3Ui1Op",
        f'{{"Environment":[{{"Name":"DB_PASSWORD","Value":"{SECRET}"}}]}}',
        f'{{"command":"npx","args":["-y","server","--api-key","{SECRET}","--url","x"]}}',
        json.dumps({"arguments": json.dumps({"args": ["--password", SECRET]})}),
        f"Command '['tool', '--token', '{SECRET}', 'x']' returned non-zero exit status 1.",
        "Command 'tool --api-key Zx9Qw7Er5Ty3Ui1Op --url x' failed",
        f"1 validation error for Settings\napi_key\n  Input should be a number [input_value='{SECRET}', a=b]",
        f"Settings(api_key=Hidden('{SECRET}'), x=1)",
        f"export PGPASSWORD={SECRET}; psql",
        f'{{"appsecret":"{SECRET}","DBPASS":"{SECRET}","bearer":"{SECRET}"}}',
        f"https://host/v1?appid={SECRET}&appkey={SECRET}&ak={SECRET}",
        f"api_keys:\n  - {SECRET}\nother: x",
        f"api_key: |\n  {SECRET}\nother: x",
        f"<ApiKey kind='x'>{SECRET}</ApiKey>",
        "https://api.telegram.org/bot123456789:Zx9Qw7Er5Ty3Ui1OpAs2Df4/send",
    ],
)
def test_no_secret_is_left(text: str) -> None:
    clean = redacted(text)
    assert "[redacted]" in clean
    for part in ("Zx9", "ZX9", "Qw7", "Er5", "9753", base64.b64encode(b"user:Zx9").decode()[:10]):
        assert part not in clean


@pytest.mark.parametrize(
    ("begin", "rest"),
    [
        ("sk_", "0123456789abcdef" * 3),
        ("dapi", "0123456789abcdef" * 2),
        ("AQ.", "Zx9Qw7Er5Ty3Ui1Op" * 2),
        ("ek_", "Zx9Qw7Er5Ty3Ui1Op" * 2),
        ("rpa_", "ZX9QW7ER5TY3UI1O" * 2),
        ("vck_", "Zx9Qw7Er5Ty3Ui1Op" * 2),
        ("fc-", "0123456789abcdef" * 2),
        ("glsa_", "Zx9Qw7Er5Ty3Ui1Op" * 2),
        ("ATATT", "Zx9Qw7Er5Ty3Ui1Op" * 2),
        ("sntrys_", "Zx9Qw7Er5Ty3Ui1Op" * 2),
        ("sntryu_", "Zx9Qw7Er5Ty3Ui1Op" * 2),
    ],
)
def test_a_key_is_known_by_its_shape(begin: str, rest: str) -> None:
    assert redacted(f"use {begin}{rest}, please") == "use [redacted], please"


@pytest.mark.parametrize(
    "around", ['Invalid key "{}..." was given', "Received={}***, expected another", "{}…"]
)
@pytest.mark.parametrize("size", [12, 15, 18])
def test_the_beginning_of_a_value_is_taken_for_it(around: str, size: int) -> None:
    value = "Zx9Qw7Er5Ty3Ui1OpAs2Df4Gh6"
    clean = redacted(around.format(value[:size]), (value,))
    assert clean == around.format("[redacted]")


def test_a_value_in_utf_16_is_seen() -> None:
    for codec in ("utf-16-le", "utf-16-be", "utf-16"):
        data = f'{{"note":"{SECRET}"}}'.encode(codec)
        assert "Qw7=".encode("utf-16-le")[:-1] not in redacted_bytes(data, (SECRET,))


@pytest.mark.parametrize(
    "text",
    [
        '{"max_tokens":1000,"prompt_tokens":123456,"total_tokens":9}',
        '{"token":" Hello","logprob":-0.1,"bytes":[72],"top_logprobs":[{"token":"sk-"}]}',
        '{"prompt_cache_key":"user-1234567890abc","next_page_token":"abcdef1234567890"}',
        '{"error":{"code":"invalid_api_key","type":"x"}}',
        '{"code":"import os\\nprint(1)"}',
        '{"properties":{"password":{"type":"string","description":"Yours"},"key":{"type":"string"}}}',
        '{"api_key":null,"secret":"","authorization":true}',
        "Error code: 429 - {'error': {'message': 'Rate limit', 'code': 'x'}}",
        "a task-management-2024-quarterly-review of a disk-based-system2",
        "Bearer authentication is needed, and Basic authentication is not",
        "def f(api_key: str | None = None, token: str = '') -> None: ...",
        "see http://localhost:8000/v1/files@2 or write to me@example.com",
        "https://host/v1/chat?alt=sse&model=gpt-4o&page=2",
        '{"headers":["Name","Age"],"rows":[]}',
        "What is the key to a good design? Pass the salt, sign here. tokens: 5",
        '{"image_url":{"url":"https://host/a.png?w=1"}}',
        "Use --password to set it, --api-key KEY for the key, and --token - for standard input.",
        '["--api-key","--verbose"] and ["--max-tokens","1000000000000a"]',
        "sk_buff fc-match ek_field up_to dapi",
    ],
)
def test_everything_else_stays(text: str) -> None:
    assert redacted(text) == text


def test_json_stays_json() -> None:
    document = {
        "password": 123456,
        "api_key": 'a"b\\c',
        "nested": json.dumps({"secret": 'x"\\'}),
        "text": "ok",
    }
    clean = json.loads(redacted(json.dumps(document)))
    assert clean["text"] == "ok"
    assert json.loads(clean["nested"]) == {"secret": "[redacted]"}
    assert clean["password"] == clean["api_key"] == "[redacted]"


@given(WORDS, WORDS, st.sampled_from(["api_key", "Authorization", "clientSecret", "x-auth-token"]))
def test_whatever_stands_around_a_field_its_value_goes(before: str, after: str, name: str) -> None:
    document = {"before": before, name: SECRET, "after": after, "twice": json.dumps({name: SECRET})}
    for text in (json.dumps(document), json.dumps(document, ensure_ascii=False), str(document)):
        assert "Zx9" not in redacted(text)


@given(st.binary(max_size=400))
def test_any_bytes_can_be_read(data: bytes) -> None:
    redacted_bytes(data, ("Zx9Qw7Er5Ty3",))


@given(st.integers(-40, 40), st.sampled_from(['"api_key":"{}"', "?key={}&", "sk-proj-Zx9{}", "{}"]))
def test_a_secret_between_two_slices_is_seen(shift: int, wrapped: str) -> None:
    value = "Zx9Qw7Er5Ty3Ui1Op"
    text = " " * (SLICE + shift) + wrapped.replace("{}", value)
    assert "Qw7Er5" not in redacted(text, (value,))


@given(st.integers(0, 60), st.sampled_from(['"api_key":"{}"', "?key={}", "sk-proj-{}", "{}", "-{}-{}-{}-{}"]))
def test_what_is_cut_leaves_nothing_of_a_secret(ahead: int, wrapped: str) -> None:
    value = "Zx9Qw7Er5Ty3Ui1OpZx9Qw7Er5Ty3Ui1Op"
    text = "-" * (100 - ahead) + wrapped.replace("{}", value) + "." * (3 * MARGIN)
    clean = cut(text, 100, (value,))
    assert len(clean) <= 100
    assert "Zx" not in clean


def _hostile() -> Iterator[tuple[str, str]]:
    size = 1 << 16
    for unit in (
        *(
            "key=",
            "?key=",
            '"key":"',
            '"password":',
            "\\",
            '\\"',
            '"headers":{',
            '{"headers":{"a":"b"',
            "key\\\\\\\\",
        ),
        *("://a:b", "://", "%3A%2F%2F", "sk-", "eyJ", "eyJaaaaaa.", "-----BEGIN PRIVATE KEY-----", "_", "-"),
        *(
            '-----BEGIN PRIVATE KEY-----"',
            "Bearer ",
            'name="key"\r\n',
            '"name":"authorization",',
            "cookie: ",
            "[",
        ),
        *(
            '[["key",',
            "Zx9Qw7",
            "&key\\u003d",
            "%3Fkey%3D",
            "authorization: digest ",
            " token",
            "a=b&",
            *('\ndata: {"content":"a"}\n', '\ndata: {"content":"sk-'),
            "\\n",
            *("--api-key ", "'--api-key', ", "key\n input_value=", "Zx9Qw7Er5Ty", "key: - ", "<key "),
        ),
    ):
        yield unit, unit * (size // len(unit))
    yield "random", "".join(random.Random(1).choices(string.printable, k=size))


@pytest.mark.parametrize(("unit", "text"), [pytest.param(*each, id=each[0]) for each in _hostile()])
def test_the_work_is_linear(unit: str, text: str) -> None:
    """Eight times the text takes about eight times as long; quadratic work would take 64 times."""
    data = text.encode()
    short = max(min(_took(data[: len(data) // 8]) for _ in range(3)), 0.001)
    assert min(_took(data) for _ in range(2)) < short * 8 * 3


def _took(data: bytes) -> float:
    began = time.thread_time()
    redacted_bytes(data, ("Zx9Qw7Er5Ty3", "Zx9Qw7Zx9Qw7Zx9Qw7"))
    return time.thread_time() - began


@pytest.mark.parametrize("unit", ["?key=a&token=b ", "Zx9Qw7Er5Ty3Ui1OpAs2 ", "sk-proj-Zx9Qw7Er5Ty3Ui1Op "])
def test_a_flood_of_secrets_takes_little_memory_and_is_not_kept(unit: str) -> None:
    data = unit.encode() * 200_000
    tracemalloc.start()
    assert redacted_bytes(data, ("Zx9Qw7Er5Ty3Ui1OpAs2",)) == b"[redacted]"
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 24 << 20


def test_the_pieces_of_a_long_stream_take_little_memory() -> None:
    data = b'{"response":"a"}\n' * 200_000
    tracemalloc.start()
    assert redacted_bytes(data) is data
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 << 20


def test_memory_is_bounded() -> None:
    data = json.dumps(
        {"messages": [{"content": f"word {number}", "api_key": "x"} for number in range(5_000)]}
    ).encode()
    tracemalloc.start()
    redacted_bytes(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 * len(data)
