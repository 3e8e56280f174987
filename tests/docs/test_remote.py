import re

import pytest

from miharu.cli import _main
from miharu.config import Config
from tests.docs.blocks import Block, of

PAGE = "docs/remote.md"


@of(PAGE, "miharu dashboard --ingest")
def test_the_server_is_started_so(example: Block) -> None:
    """What it takes in then, tests/remote has."""
    [command] = example.commands
    arguments = _main._parser().parse_args(command.split()[1:])
    assert (arguments.command, arguments.ingest, arguments.host) == ("dashboard", True, "0.0.0.0")


@of(PAGE, "MIHARU_DATABASE_URL")
def test_the_url_is_a_database(example: Block, monkeypatch: pytest.MonkeyPatch) -> None:
    found = re.fullmatch(r"(\w+)=(\S+)\n", example.text)
    assert found
    monkeypatch.setenv(found[1], found[2])
    assert Config.resolve().database == "miharu+https://token@miharu.internal"
