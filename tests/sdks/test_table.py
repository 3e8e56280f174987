"""The page and ``miharu doctor`` say what was seen."""

import json
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from miharu.cli.doctor import libraries
from tests.sdks.table import SEEN, page

_PAGE = Path(__file__).parent.parent.parent / "docs" / "coverage.md"


def test_the_page_is_made_of_what_was_seen() -> None:
    assert _PAGE.read_text() == page(), "run scripts/coverage_table"


def test_everything_was_seen() -> None:
    sdks = [sdk for file in sorted(SEEN.glob("*.json")) for sdk in json.loads(file.read_text())]
    assert len(sdks) > 30
    wrong = [
        f"{sdk['sdk']}: {name}"
        for sdk in sdks
        for name, seen in sdk["scenarios"].items()
        if not seen["right"]
    ]
    assert not wrong


def test_the_doctor_says_the_same() -> None:
    """Of each package that a run has seen in this very version: that it is seen, and through which client."""
    sights = {sight.name.partition(" ")[0]: sight for sight in libraries.look()}
    judged = 0
    for file in sorted(SEEN.glob("*.json")):
        for sdk in json.loads(file.read_text()):
            try:
                here = version(sdk["package"])
            except PackageNotFoundError:
                continue
            if here != sdk["version"]:
                continue
            judged += 1
            if sdk["package"] in libraries.ON:  # a client, and no library that uses one
                assert sdk["clients"] == [libraries.ON[sdk["package"]]]
                continue
            sight = sights[sdk["package"]]
            right = all(seen["right"] for seen in sdk["scenarios"].values())
            assert sight.seen == right, (sdk["sdk"], sight)
            clients = {client.partition(" ")[0] for client in sdk["clients"]}
            said = {sight.client, *({"aiohttp"} if "aiohttp" in sight.why else ())}
            assert clients <= said, (sdk["sdk"], sight)
    if not judged:
        pytest.skip("none of the SDKs of the table is installed here in that version")
