"""Answers that are made to hurt: none may take the host's memory or its event loop, and each is a row."""

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.hostile import ANSWERS

MB = 1 << 20
PEAK = 64 * MB
HELD_S = 0.1
"""By the clock of the reading thread, on a machine that does other things as well; the aim is half of it."""
ALWAYS = (
    *(
        "strings, br",
        "objects, br",
        "strings, zstd",
        "objects, gzip",
        "strings, deflate",
        "objects, gzip, gzip",
    ),
    *("one long string, br", "valid objects, plain", "valid objects, 4 MB", "empty lists, plain"),
    *("numbers next to nothing, gzip", "many small numbers next to nothing"),
    *("unclosed lists", "one endless event, gzip", "empty events", "empty members", "zeros"),
    "an endless answer, gzip",
)
"""The others, which are of the same kinds, are tried in the long run."""
TOO_LARGE = ("objects, br", "objects, gzip, gzip", "an endless answer, gzip")
TOLD = "The answer decodes to more than 64 MB; the rest was not read."

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")


def read(names: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """What each of them cost a process that reads them."""
    command = [sys.executable, "-m", "tests.security.reading", str(HELD_S), *names]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=400)
    told = map(json.loads, done.stdout.splitlines())
    return {one["name"]: one for one in told}


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(ALWAYS, id="some"),
        pytest.param(
            tuple(answer.name for answer in ANSWERS if answer.name not in ALWAYS),
            id="others",
            marks=pytest.mark.full,
        ),
    ],
)
def test_no_answer_takes_memory_or_time_and_each_is_a_row(
    names: tuple[str, ...],
) -> None:
    found = read(names)
    assert set(found) == set(names)
    assert {name: one["peak"] >> 20 for name, one in found.items() if one["peak"] > PEAK} == {}
    assert {name: one["held"] for name, one in found.items() if one["held"] > HELD_S} == {}
    for name, one in found.items():
        row = one["row"]
        assert row is not None, name
        assert (row["http_status"], row["usage_source"] in {"none", "provider"}) == (200, True)
        assert all(len(value) < 33_000 for value in row.values() if isinstance(value, str)), name
        if name in TOO_LARGE:
            assert (row["status"], row["error_message"]) == ("success", TOLD)
            assert (row["usage_source"], row["prompt_tokens"]) == ("none", None)
