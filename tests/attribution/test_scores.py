"""``miharu.score``: feedback on a call or a trace."""

import math
from pathlib import Path
from typing import Any

import pytest

import miharu
from miharu import monitor
from miharu.attribution.context import Beginning, Origin
from miharu.batch import Score
from tests.attribution.conftest import Fail
from tests.calls import ask


def scores(database: Path, **of: Any) -> list[Score]:
    assert miharu.flush()
    watching = monitor.current()
    assert watching is not None
    return list(watching.read_sync(lambda: watching.questions.scores(**of)))


def test_a_trace_is_scored_by_its_id(database: Path) -> None:
    miharu.init(database)
    with miharu.span("answer") as span:
        ask()
    miharu.score(span.trace_id, "helpful", True, comment="yes")
    miharu.score(span, "grade", 4.5)
    kept = {(each.name, each.value, each.comment) for each in scores(database, trace_id=span.trace_id)}
    assert kept == {("helpful", 1.0, "yes"), ("grade", 4.5, None)}


def test_a_call_is_scored_by_itself_or_by_its_id(database: Path) -> None:
    miharu.init(database)
    with miharu.capture() as calls:
        ask()
    miharu.score(calls[0], "grade", 1)
    miharu.score(calls[0].id.upper(), "grade", 2)
    assert {score.value for score in scores(database, call_id=calls[0].id)} == {1, 2}
    assert [score.value for score in scores(database, trace_id=calls[0].trace_id)] == [1]


def test_what_runs_here_is_scored_without_an_id(database: Path) -> None:
    miharu.init(database)
    with Beginning(Origin({"path": "/"})):
        trace = miharu.trace_id()
        miharu.score(None, "grade", 1)
    assert [score.value for score in scores(database, trace_id=trace)] == [1]


@pytest.mark.parametrize(
    ("target", "value"),
    [
        ("nonsense", 1),
        (7, 1),
        (None, 1),
        ("0" * 31, 1),
        ("0" * 32, math.nan),
        ("0" * 32, 10**400),
        ("0" * 32, "many"),
        ("0" * 32, None),
        ("0" * 32, [1]),
    ],
)
def test_nonsense_is_logged_and_not_kept(
    database: Path, caplog: pytest.LogCaptureFixture, target: Any, value: Any
) -> None:
    miharu.init(database)
    miharu.score(target, "grade", value)
    assert "a score was not kept" in caplog.text
    miharu.score("0" * 32, "grade", 1)
    assert len(scores(database, trace_id="0" * 32)) == 1


def test_without_init_it_is_gone_and_nothing_fails() -> None:
    miharu.score("0" * 32, "grade", 1)


def test_a_mistake_of_ours_does_not_reach_the_program(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, fail: Fail
) -> None:
    monkeypatch.setattr("miharu.attribution.records.leave", fail)
    monkeypatch.setattr("miharu.attribution.context.now", fail)
    miharu.score("0" * 32, "grade", 1)
    assert miharu.trace_id() is None
    assert "miharu.score() failed" in caplog.text
    assert "miharu.trace_id() failed" in caplog.text
