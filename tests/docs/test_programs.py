import re
from pathlib import Path

import pytest

from tests.calls import ask, rows
from tests.docs.blocks import ROOT, Block, of

PAGE = "docs/programs.md"
TEXT = (ROOT / PAGE).read_text()


@of(PAGE, "def handler")
def test_a_handler_has_stored_its_call_before_it_returns(
    example: Block, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIHARU_DATABASE_URL", str(database))
    instead = {"return ...  # yours": "return ask().status_code", "miharu.flush()": "assert miharu.flush(60)"}
    made = example.run(instead, ask=ask)
    for invocation in (1, 2):
        assert made.handler({}, None) == 200
        found = rows(database)
        assert [row["route"] for row in found] == ["lambda summarise"] * invocation


def test_each_program_of_the_table_has_a_section_and_each_test_is_there() -> None:
    table = [line.split(" | ") for line in TEXT.splitlines() if line.startswith("| [")]
    titles = re.findall(r"^## (.*)$", TEXT, re.MULTILINE)
    headings = {re.sub(r"[^a-z -]", "", title.lower()).replace(" ", "-") for title in titles}
    for program, *_, tests in table:
        assert re.findall(r"\(#([\w-]+)\)", program)[0] in headings
        for path in re.findall(r"`(tests/[\w/.]+)`", tests):
            assert (ROOT / path).exists(), path
