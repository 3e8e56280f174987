"""What the user's own functions do: ``init(redact=)`` with content, ``init(ignore=)`` with calls."""

import json
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import httpx2
import pytest

import miharu
from miharu.testing import FakeProvider
from tests.calls import ANSWER, URL, ask, rows

HEADERS = {"authorization": "Bearer x"}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "calls.db"
    miharu.shutdown()


def bodies(database: Path) -> list[tuple[bytes | None, bytes | None]]:
    with closing(sqlite3.connect(database)) as connection:
        found = connection.execute("SELECT request, response FROM llm_bodies ORDER BY call_id").fetchall()
    return [(one and zlib.decompress(one), other and zlib.decompress(other)) for one, other in found]


def test_redact_is_given_content_and_decides_what_is_kept(database: Path) -> None:
    given = []

    def redact(value: Any) -> Any:
        given.append(value)
        return {"kept": sorted(value)}

    miharu.init(database, capture_content=True, redact=redact)
    ask("a question about sk-proj-Zx9Qw7Er5Ty3Ui1Op")
    assert miharu.flush(30)
    assert [sorted(value) for value in given] == [["messages", "model"], sorted(ANSWER)]
    assert "Zx9" not in json.dumps(given)
    kept = [tuple(json.loads(side or b"") for side in both) for both in bodies(database)]
    assert kept == [({"kept": ["messages", "model"]}, {"kept": sorted(ANSWER)})]


def test_redact_is_given_a_text_where_it_is_no_json(database: Path) -> None:
    given = []

    def redact(value: Any) -> Any:
        given.append(value)
        return "nothing" if isinstance(value, str) else value

    miharu.init(database, capture_content=True, redact=redact)
    with FakeProvider() as provider, httpx2.Client() as client:
        client.post(
            f"{provider.base_url}/chat/completions",
            json={"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}], "stream": True},
            headers=HEADERS,
        )
    assert miharu.flush(30)
    assert [type(value) for value in given] == [dict, str]
    assert bodies(database)[0][1] == b"nothing"


@pytest.mark.parametrize(
    ("redact", "said"),
    [
        (lambda value: value["secret"], "KeyError in "),
        (lambda value: None, "WrongTypeError: it was given a dict and returned NoneType"),
        (lambda value: "text", "WrongTypeError: it was given a dict and returned str"),
        (lambda value: {"x": object()}, "TypeError"),
    ],
)
def test_content_that_redact_fails_on_is_not_kept(
    database: Path, redact: Any, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    miharu.init(database, capture_content=True, redact=redact)
    errors = miharu.stats()["errors"]
    for question in ("Zx9 one", "Zx9 two"):
        ask(question)
    assert miharu.flush(30)
    assert miharu.stats()["errors"] == errors + 4
    assert len(rows(database)) == 2
    assert not any(request or response for request, response in bodies(database))
    assert caplog.text.count("redact= failed") == 1
    assert said in caplog.text
    assert "Zx9" not in caplog.text
    assert b"Zx9" not in database.read_bytes()


@pytest.mark.waits
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_call_that_is_ignored_counts_nowhere(database: Path) -> None:
    budget = miharu.Budget(0.000000001, "day", refuse=True)
    miharu.init(database, ignore=["127.0.0.1/v1/chat/*"], budgets=[budget], capture_content=True)
    asked = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
    with FakeProvider() as provider, miharu.capture() as calls:
        url = f"{provider.base_url}/chat/completions"
        for library in (httpx, httpx2):
            with library.Client(headers=HEADERS) as client:
                assert client.post(url, json=asked).is_success
            async with library.AsyncClient(headers=HEADERS) as aclient:
                assert (await aclient.post(url, json=asked)).is_success
        async with (
            aiohttp.ClientSession(headers=HEADERS) as session,
            session.post(url, json=asked) as response,
        ):
            assert response.status == 200
    assert miharu.flush(30)
    assert list(calls) == []
    assert miharu.stats()["captured"] == miharu.stats()["written"] == 0


def test_a_route_and_a_function_leave_calls_out(database: Path) -> None:
    def is_long(call: Any) -> bool:
        return call.body is not None and b"long" in call.body.request

    miharu.init(database, ignore=["route:/admin/*", is_long], capture_content=True)
    with miharu.capture() as calls:
        with miharu.context(route="POST /admin/x"):
            ask()
        ask("a long one")
        with miharu.context(route="POST /chat"):
            ask()
    assert miharu.flush(30)
    assert [row["route"] for row in rows(database)] == ["POST /chat"] == [call.route for call in calls]
    assert miharu.stats()["captured"] == 1


def test_a_call_that_a_function_fails_on_is_kept_without_its_content(
    database: Path, caplog: pytest.LogCaptureFixture
) -> None:
    miharu.init(database, ignore=[lambda call: 1 / 0 > 1], capture_content=True)
    errors = miharu.stats()["errors"]
    ask()
    ask()
    assert miharu.flush(30)
    assert len(rows(database)) == 2
    assert bodies(database) == []
    assert miharu.stats()["errors"] == errors + 2
    assert caplog.text.count("a function of ignore= failed (ZeroDivisionError)") == 1


def test_variables_leave_calls_out(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIHARU_IGNORE", "api.openai.com")
    miharu.init(database)
    ask()
    ask(url=URL.replace("openai", "example"))
    assert miharu.flush(30)
    assert [row["host"] for row in rows(database)] == ["api.example.com"]


def span_rows(database: Path) -> list[tuple[str | None, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(
            "SELECT kind, input, output, error_stack FROM llm_spans ORDER BY rowid"
        ).fetchall()


SECRET = "sk-proj-Zx9Qw7Er5Ty3Ui1OpAs2Df4Gh6"


@miharu.observe(kind="tool")
def charge(card: dict[str, str], note: str) -> dict[str, str]:
    if note == "fail":
        raise ValueError(f"refused with {SECRET}")
    return {"api_key": SECRET, "state": note}


@pytest.mark.parametrize("content", [False, True])
def test_what_spans_are_given_is_kept_as_content_is_and_without_secrets(
    database: Path, content: bool
) -> None:
    miharu.init(database, capture_content=content)
    charge({"authorization": f"Bearer {SECRET}"}, "ok")
    with pytest.raises(ValueError, match="refused"):
        charge({}, "fail")
    assert miharu.flush(30)
    paid, failed = span_rows(database)
    assert paid[0] == failed[0] == "execute_tool"
    assert SECRET not in json.dumps([paid, failed])
    assert 'raise ValueError(f"refused with {SECRET}")' in str(failed[3])
    if not content:
        assert (paid[1:], failed[1:3]) == ((None, None, None), (None, None))
        return
    assert json.loads(paid[1] or "")["note"] == "ok"
    assert json.loads(paid[2] or "")["state"] == "ok"
    assert failed[2] is None


def test_redact_decides_on_what_spans_are_given(database: Path) -> None:
    def redact(value: Any) -> Any:
        if "note" in value:
            return {"fields": sorted(value)}
        raise LookupError

    miharu.init(database, capture_content=True, redact=redact)
    charge({}, "ok")
    assert miharu.flush(30)
    [row] = span_rows(database)
    assert row[1:3] == ('{"fields":["card","note"]}', None)
