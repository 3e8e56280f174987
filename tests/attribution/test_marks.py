"""Moments that the program names, and those of its releases."""

import logging
import os
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

import miharu
from miharu.attribution.marks import made
from miharu.batch import Marker
from miharu.recorder.reading.releases import MOST, Releases
from miharu.testing import FakeProvider
from miharu.testing.store_contract import make_call

NOW = 1_790_000_000.0


def rows(database: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(
            "SELECT name, kind, timestamp, service, tags FROM llm_markers ORDER BY timestamp, name"
        ).fetchall()


@pytest.mark.waits
def test_a_mark_is_stored_with_the_calls_of_its_time(tmp_path: Path) -> None:
    database = tmp_path / "calls.db"
    miharu.init(database)
    before = time.time_ns() // 1_000_000
    miharu.mark("deploy 1.4", tags={"by": "ci", "key": "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCD"})
    miharu.mark("earlier", datetime(2026, 9, 1, 12, tzinfo=UTC), service="api")
    assert miharu.flush(30)
    (earlier, kind, at, service, _), (name, _, moment, _, tags) = rows(database)
    assert (earlier, kind, service) == ("earlier", "mark", "api")
    assert at == 1_788_264_000_000
    assert name == "deploy 1.4"
    assert before <= moment <= time.time_ns() // 1_000_000
    assert '"by": "ci"' in tags
    assert "abcdefghijkl" not in tags  # as everywhere, no credential is kept


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((7,), "name=7: give a text"),
        ((" ",), "give a text that says what happened"),
        (("x", "yesterday"), "at='yesterday': give a datetime"),
        (("x", float("nan")), "at=nan: give a datetime"),
        (("x", 5.0), "between 2015 and tomorrow"),
        (("x", datetime(2099, 1, 1)), "between 2015 and tomorrow"),  # noqa: DTZ001 - as programs write it
    ],
)
def test_what_is_not_valid_is_said_and_never_raises(
    arguments: tuple[Any, ...], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "miharu"):
        miharu.mark(*arguments)
    assert said in caplog.text


def test_names_and_tags_are_bounded() -> None:
    marker = made("n" * 999, NOW, tags={f"t{i}" * 200: "v" * 999 for i in range(99)}, now=NOW)
    assert len(marker.name) == 200
    assert marker.tags is not None
    assert len(marker.tags) == 20
    assert max(len(text) for pair in marker.tags.items() for text in pair) == 200


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.waits
def test_a_child_that_was_forked_marks_as_well(tmp_path: Path) -> None:
    database = tmp_path / "calls.db"
    miharu.init(database)
    miharu.mark("parent")
    assert miharu.flush(30)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            miharu.mark("child")
            code = 0 if miharu.flush(30) else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert {row[0] for row in rows(database)} == {"parent", "child"}


def test_a_release_is_marked_by_its_first_call() -> None:
    releases = Releases()
    first = make_call(timestamp=5, service="api", tags={"release": "1.4"})
    found = list(releases.begun(first))
    assert [(marker.name, marker.kind, marker.timestamp) for marker in found] == [("1.4", "release", 5)]
    assert list(releases.begun(make_call(service="api", tags={"release": "1.4"}))) == []
    assert list(releases.begun(make_call(service="api", tags={"team": "x"}))) == []
    assert len(list(releases.begun(make_call(service="worker", tags={"release": "1.4"})))) == 1
    other = list(Releases().begun(make_call(timestamp=9, service="api", tags={"release": "1.4"})))
    assert other[0].id == found[0].id  # of another process: the store keeps the first


def test_a_tag_that_names_something_else_makes_no_flood(caplog: pytest.LogCaptureFixture) -> None:
    releases = Releases()
    found = list[Marker]()
    with caplog.at_level(logging.WARNING, "miharu"):
        for number in range(2 * MOST):
            found += releases.begun(make_call(tags={"release": str(number)}))
    assert len(found) == MOST
    assert caplog.text.count("more than 200 values") == 1


@pytest.mark.waits
def test_a_release_is_marked_on_the_way_of_a_real_call(tmp_path: Path) -> None:
    database = tmp_path / "calls.db"
    miharu.init(database, service="shop")
    with FakeProvider() as provider, httpx.Client(base_url=provider.base_url) as client:
        for release in ("1.3", "1.3", "1.4"):
            with miharu.context(tags={"release": release}):
                client.post("/chat/completions", json={"model": "gpt-5-mini", "messages": []})
    assert miharu.flush(30)
    assert [(name, kind, service) for name, kind, _, service, _ in rows(database)] == [
        ("1.3", "release", "shop"),
        ("1.4", "release", "shop"),
    ]
