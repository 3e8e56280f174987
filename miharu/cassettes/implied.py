"""For a whole program: ``miharu cassette replay FILE -- command`` has each Python in it answered."""

import json
from collections.abc import Sequence
from pathlib import Path

from miharu.cassettes.answering import begin
from miharu.cassettes.file import load
from miharu.cassettes.question import ignored
from miharu.cassettes.replay import Replay

__all__ = ("VARIABLE", "begin_implied", "setting")

VARIABLE = "_MIHARU_REPLAY"
"""What tells the Pythons of a program; ``_sitehook`` reads it."""


def setting(path: Path, *, ignore: Sequence[str], reuse: bool, paced: bool) -> str:
    """The value of that variable."""
    return json.dumps({"path": str(path.absolute()), "ignore": [*ignore], "reuse": reuse, "paced": paced})


def begin_implied(value: str) -> None:
    """Answer until this process ends.

    Raises:
        ConfigError: The file cannot be read.
    """
    given = json.loads(value)
    path = Path(given["path"])
    places = ignored(given["ignore"])
    begin(Replay(load(path), where=path.name, places=places, reuse=given["reuse"], paced=given["paced"]))
