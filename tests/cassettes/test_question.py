"""What is compared: method, path and body by its value, without what the user names."""

import json
from typing import Any

import pytest

from miharu.cassettes.question import Question, ignored, normal, same, without
from miharu.cassettes.recorded import Asked, Recorded
from miharu.cassettes.replay import Replay

ASKED: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi", "id": "1"}], "seed": 3}
JSON = {"content-type": "application/json"}


def question(body: Any = ASKED, path: str = "/v1/chat/completions", method: str = "POST") -> Question:
    return Question(method=method, host="h", path=path, body=body)


def recorded(body: Any = ASKED, **facts: Any) -> Asked:
    return Asked(**({"path": "/v1/chat/completions", "body": body} | facts))


def test_a_body_is_compared_by_its_value() -> None:
    turned = json.dumps(dict(reversed(ASKED.items())), indent=3).encode()
    assert normal(turned, JSON) == normal(json.dumps(ASKED).encode(), JSON) == ASKED


@pytest.mark.parametrize(
    ("asked", "is_same"),
    [
        (recorded(), True),
        (recorded(ASKED | {"seed": 4}), False),
        (recorded(path="/v1/responses"), False),
        (recorded(method="GET"), False),
        (recorded(None), True),
        (recorded(path=None, api="openai.chat"), True),
        (recorded(path=None, api="openai.responses"), False),
        (recorded(path=None, api="of.another.package"), False),
    ],
)
def test_method_path_and_body_are_compared(asked: Asked, *, is_same: bool) -> None:
    assert same(asked, question(), ()) is is_same


@pytest.mark.parametrize(
    ("path", "is_same"),
    [
        ("/v1beta/models/gemini-2.5-flash:generateContent", True),
        ("/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-flash:generateContent", True),
        ("/v1beta/models/gemini-2.5-pro:generateContent", False),
        ("/v1beta/models/gemini-2.5-flash:streamGenerateContent", False),
    ],
)
def test_where_a_path_names_the_model_that_is_compared(path: str, *, is_same: bool) -> None:
    asked = recorded({"contents": []}, path=None, api="gemini.generate", model="gemini-2.5-flash")
    assert same(asked, question({"contents": []}, path), ()) is is_same


@pytest.mark.parametrize(
    ("places", "rest"),
    [
        (["seed"], {"model": "m", "messages": ASKED["messages"]}),
        (["messages.*.id"], ASKED | {"messages": [{"role": "user", "content": "hi"}]}),
        (["messages.0"], ASKED | {"messages": []}),
        (["*"], {}),
        (["none", "messages.7.id"], ASKED),
    ],
)
def test_what_varies_by_nature_is_named(places: list[str], rest: Any) -> None:
    assert without(ASKED, ignored(places)) == rest


def test_a_credential_in_a_body_is_neither_kept_nor_compared() -> None:
    body = json.dumps(ASKED | {"api_key": "sk-proj-" + "a" * 40}).encode()
    other = json.dumps(ASKED | {"api_key": "sk-proj-" + "b" * 40}).encode()
    assert normal(body, JSON) == normal(other, JSON) == ASKED | {"api_key": "[redacted]"}
    said = {**ASKED, "note": "it is topsecrettoken1"}
    kept = normal(json.dumps(said).encode(), JSON | {"authorization": "Bearer topsecrettoken1"})
    assert kept["note"] == "it is [redacted]"


def test_a_picture_is_compared_by_its_hash() -> None:
    def asked(letter: str) -> Any:
        url = "data:image/png;base64," + letter * 8000
        return normal(json.dumps({"image_url": {"url": url}}).encode(), JSON)

    assert len(str(asked("A"))) < 300
    assert asked("A") == asked("A") != asked("B")


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        (ASKED | {"seed": 4}, ["  body.seed: asked 4, recorded 3"]),
        ({**ASKED, "top_p": 1}, ["  body.top_p: asked 1, recorded nothing"]),
        ({"model": "m", "messages": ASKED["messages"]}, ["  body.seed: asked nothing, recorded 3"]),
        (
            ASKED | {"messages": [*ASKED["messages"], {"role": "user"}]},
            ['  body.messages[1]: asked {"role": "user"}, recorded nothing'],
        ),
        (
            ASKED | {"messages": []},
            ['  body.messages[0]: asked nothing, recorded {"role": "user", "content": "hi", "id": "1"}'],
        ),
        (ASKED | {"seed": "3"}, ['  body.seed: asked "3", recorded 3']),
    ],
)
def test_the_nearest_is_shown_with_the_difference(body: Any, lines: list[str]) -> None:
    far = Recorded(asked=recorded({"model": "other", "messages": [], "tools": [1]}), status=200)
    near = Recorded(asked=recorded(), status=200)
    replay = Replay([far, near], where="c.json")
    answer = replay.answer(question(body))
    assert answer is not None
    assert answer.status == 400
    [said] = replay.missed
    assert said.splitlines()[0].endswith("The nearest is exchange 2 of 2, which differs:")
    assert said.splitlines()[1:] == lines


def test_of_a_long_text_the_difference_is_shown() -> None:
    text = "x" * 5000
    replay = Replay([Recorded(asked=recorded({"input": text + "then" + text}), status=200)], where="c.json")
    replay.answer(question({"input": text + "now!" + text}))
    line = replay.missed[0].splitlines()[1]
    assert "xnow!x" in line
    assert "xthenx" in line
    assert len(line) < 450


def test_many_differences_are_not_all_told() -> None:
    body = {str(number): number for number in range(50)}
    replay = Replay([Recorded(asked=recorded({}), status=200)], where="c.json")
    replay.answer(question(body))
    assert len(replay.missed[0].splitlines()) == 12
    assert replay.missed[0].endswith("and 40 more")


def test_one_may_answer_again_where_that_was_said() -> None:
    replay = Replay(
        [Recorded(asked=recorded(), status=status) for status in (429, 200)], where="c.json", reuse=True
    )
    statuses = [answer.status for _ in range(4) if (answer := replay.answer(question()))]
    assert statuses == [429, 200, 200, 200]
    assert (replay.missed, replay.unused) == ([], [])
