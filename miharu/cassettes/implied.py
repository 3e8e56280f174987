"""For a whole program: ``miharu cassette replay FILE -- command`` has each Python in it answered."""

import os
from pathlib import Path

from miharu.cassettes.answering import begin
from miharu.cassettes.file import load
from miharu.cassettes.question import ignored
from miharu.cassettes.replay import Replay

__all__ = ("begin_implied",)


def begin_implied(path: str) -> None:
    """Answer from that file until this process ends.

    Raises:
        ConfigError: It cannot be read.
    """
    begin(
        Replay(
            load(Path(path)),
            where=path,
            places=ignored([one for one in os.environ.get("MIHARU_REPLAY_IGNORE", "").split(",") if one]),
            reuse=os.environ.get("MIHARU_REPLAY_REUSE") == "1",
            paced=os.environ.get("MIHARU_REPLAY_PACED") == "1",
        )
    )
