"""The fuzzer itself, for a moment: that it tries what it says, and that nothing of ours fails."""

import json
import random
import subprocess
import sys

import pytest

from tests.corpus.fuzz.drawing import Exchanges
from tests.corpus.fuzz.mutations import encoded, planted
from tests.corpus.fuzz.readers import read

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")


def test_some_exchanges_are_read_without_an_exception() -> None:
    found = read(Exchanges(7, hostile=0), range(150))
    assert found.tried == 150
    assert found.calls > 75
    assert found.peak < 64 << 20


def test_the_same_number_is_the_same_exchange() -> None:
    one, two = (Exchanges(3).draw(5) for _ in range(2))
    assert one == two


def test_figures_and_encodings_are_planted() -> None:
    rng = random.Random(1)
    body = json.dumps({"usage": {"prompt_tokens": 3, "completion_tokens": 4}}).encode()
    assert len({planted(body, rng) for _ in range(50)}) > 20
    names = {encoded(body, rng)[1] for _ in range(300)}
    assert {"gzip", "br", "zstd", "deflate", "zstd, br", "gzip, gzip"} <= names


@pytest.mark.full
@pytest.mark.parametrize("doors", [False, True])
def test_a_while_of_it(doors: bool) -> None:
    command = [sys.executable, "-m", "tests.corpus.fuzz", "--seconds", "20", "--seed", "2"]
    command += ["--doors"] if doors else []
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stdout
