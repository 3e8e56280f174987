from itertools import product

import pytest

from miharu import providers
from miharu.plugins import load
from miharu.providers.base import Provider, Reading, Rule, Wire
from miharu.recorder.reading.formats import LONGEST, Formats

FORMATS = [provider() for _, provider in load(providers.BUILT_IN)]
RULES = [rule for provider in FORMATS for rule in provider.rules]
ENDS = sorted({rule.path for rule in RULES} | {"/x", "/chat/completion", ":", "/", ""})
HOSTS = sorted({f"eu{rule.host}" for rule in RULES if rule.host} | {"api.openai.com", ""})


class Odd:
    """Asks for part of a segment, anything at a host, and what is fetched."""

    api = "odd"
    rules = (Rule("etions"), Rule(host=".odd.example"), Rule("/jobs", method="GET"))

    def read(self, wire: Wire) -> Reading | None:
        return None


def matching(formats: list[Provider], method: str, host: str, path: str) -> list[str]:
    return [f.api for f in formats if any(rule.matches(method, host, path) for rule in f.rules)]


@pytest.mark.parametrize("formats", [FORMATS, [Odd(), *FORMATS], [*FORMATS, Odd()]])
def test_they_are_those_whose_rules_match_in_their_order(formats: list[Provider]) -> None:
    found = Formats(formats)
    several = 0
    for method, host, start, end, after in product(
        ("POST", "GET", "PUT"), (*HOSTS, "a.odd.example"), ("", "/v1"), (*ENDS, "/jobs"), ("/", "/id")
    ):
        asked = (method, host, f"{start}{end}{after}")
        meant = matching(formats, *asked)
        assert [f.api for f in found.of(*asked)] == meant, asked
        several += len(meant) > 1
    assert several


def test_a_long_address_is_known_as_well() -> None:
    path = "/x" * LONGEST + "/v1/chat/completions"
    assert [f.api for f in Formats(FORMATS).of("POST", "h", path)] == matching(FORMATS, "POST", "h", path)
