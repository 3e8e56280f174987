"""Two observers in one process: ``python -m tests.beside.child OTHER first|last first|last``.

Says whether miharu is installed first, and whether it is removed first. Prints what each has seen in a round
of calls: with both, with the one that is left, with none, and with miharu again.
"""

import json
import sys
from pathlib import Path
from typing import Any

import httpx
import httpx2

from miharu.testing import FakeProvider
from tests.beside.others import OTHERS
from tests.beside.world import Miharu

_POINTS = [
    (owner, "_send_single_request")
    for owner in (httpx.Client, httpx.AsyncClient, httpx2.Client, httpx2.AsyncClient)
]


def main(name: str, installed: str, removed: str) -> None:
    plain = [owner.__dict__[attribute] for owner, attribute in _POINTS]
    other: Any = OTHERS[name]()
    ours = Miharu(Path("calls.db"))
    said: dict[str, Any] = {}
    with FakeProvider() as provider:

        def round_of_calls(title: str) -> None:
            before = ours.seen(), other.seen()
            other.ask(provider)
            said[title] = [ours.seen() - before[0], other.seen() - before[1]]

        for observer in (ours, other) if installed == "first" else (other, ours):
            observer.install()
        round_of_calls("both")
        first, second = (ours, other) if removed == "first" else (other, ours)
        said["trouble"] = _remove(first)
        round_of_calls("one")
        said["trouble"] = _remove(second) or said["trouble"]
        round_of_calls("none")
        said["originals"] = [
            owner.__dict__[attribute] is before
            for (owner, attribute), before in zip(_POINTS, plain, strict=True)
        ]
        ours.install()
        round_of_calls("again")
        ours.uninstall()
    print(json.dumps(said), flush=True)


def _remove(observer: Any) -> str | None:
    try:
        observer.uninstall()
    except AttributeError as error:
        return f"{observer.name}: {type(error).__name__}"
    return None


if __name__ == "__main__":
    main(*sys.argv[1:])
