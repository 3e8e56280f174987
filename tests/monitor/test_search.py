"""What a program said is searched for, where its content is kept."""

import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

import miharu
from miharu import monitor
from miharu.cli import main
from miharu.stores.sqlite.writer import SQLiteWriter
from miharu.testing.store_contract import ALL
from tests.calls import ANSWER, URL

SECRET = "sk-proj-" + "Zq7Rt9Kx2Lm4Np6Vw8" * 2
ANSWERED = {
    **ANSWER,
    "choices": [{"message": {"role": "assistant", "content": "In the harbour."}, "finish_reason": "stop"}],
}


def say(text: str) -> None:
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, json=ANSWERED))
    with httpx2.Client(transport=transport) as client:
        asked = {"model": "gpt-4o", "messages": [{"role": "user", "content": text}]}
        client.post(URL, json=asked, headers={"authorization": f"Bearer {SECRET}"})


def found(*words: str) -> int:
    watching = monitor.current()
    assert watching is not None
    return watching.read_sync(lambda: watching.questions.totals(replace(ALL, words=words))).calls


def wait_for_words(database: Path, number: int = 1) -> None:
    until = time.monotonic() + 30
    with closing(sqlite3.connect(database)) as connection:
        while connection.execute("SELECT count(*) FROM miharu_words").fetchone() != (number,):
            assert time.monotonic() < until
            time.sleep(0.02)


def test_what_was_said_is_found_without_its_secrets(database: Path) -> None:
    miharu.init(database, capture_content=True)
    say(f"Where is the ship? My key is {SECRET}.")
    assert miharu.flush()
    wait_for_words(database)
    assert found("where is the ship", "harbour") == 1
    assert found("in the harbour") == 1
    assert found("ship harbour") == 0
    assert found(SECRET) == 0
    assert found("gpt") == 0  # it was not said


def test_without_content_nothing_is_kept(database: Path) -> None:
    miharu.init(database)
    say("Where is the ship?")
    assert miharu.flush()
    assert found("ship") == 0


@pytest.mark.parametrize("search", [None, False])
def test_it_is_switched_off_by_a_setting(
    database: Path, monkeypatch: pytest.MonkeyPatch, *, search: bool | None
) -> None:
    given = []
    monkeypatch.setattr(SQLiteWriter, "use_texts", lambda _, texts: given.append(texts))
    miharu.init(database, capture_content=True, search=search)
    say("Where is the ship?")
    assert miharu.flush()
    assert len(given) == (0 if search is False else 1)


def test_it_is_switched_off_by_the_environment(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = []
    monkeypatch.setattr(SQLiteWriter, "use_texts", lambda _, texts: given.append(texts))
    monkeypatch.setenv("MIHARU_SEARCH", "0")
    miharu.init(database, capture_content=True)
    say("Where is the ship?")
    assert miharu.flush()
    assert given == []


def test_the_command_line_asks_for_the_same_words(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    miharu.init(database, capture_content=True)
    say("Where is the ship?")
    say("Where is the boat?")
    assert miharu.flush()
    wait_for_words(database, 2)
    miharu.shutdown()
    for words, calls in (("ship", 1), ('where "in the harbour"', 2), ("zebra", 0), ("ship model:no", 0)):
        exported = ["export", "--format", "jsonl", "--database", str(database), "--where", words]
        assert main(exported) == 0
        assert len(capsys.readouterr().out.splitlines()) == calls, words
