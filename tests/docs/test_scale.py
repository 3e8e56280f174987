"""The arithmetic of docs/scale.md is right, and its figures are those of the pages that it names."""

import math
import re
from decimal import Decimal

import pytest

from tests.docs.blocks import ROOT

TEXT = (ROOT / "docs" / "scale.md").read_text()
LINES = [
    line
    for block in re.findall(r"^```\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    for line in block.splitlines()
]
TIMES = "\N{MULTIPLICATION SIGN}"
FIGURES = TEXT.partition("\n## The figures\n")[2].partition("\n## ")[0]
SOURCES = {
    "docs/clickhouse.md": "1,636|88 µs|1,114|9,255|23 µs|108|2,196|2,325|360|227 µs|5,937",
    "benchmarks/side_by_side/RESULTS.md": "+235 (+166 … +305)",
    "benchmarks/PAGES.md": "646 of 680",
}


def _read(text: str) -> list[str]:
    """Its numbers and signs, without units."""
    return [token.replace(",", "") for token in re.findall(rf"\d[\d,]*(?:\.\d+)?|[{TIMES}÷+]", text)]


def _result(tokens: list[str]) -> float:
    """From left to right."""
    value = float(tokens[0])
    assert len(tokens) % 2
    for sign, number in zip(tokens[1::2], tokens[2::2], strict=True):
        value = {TIMES: value * float(number), "÷": value / float(number), "+": value + float(number)}[sign]
    return value


@pytest.mark.parametrize("line", LINES)
def test_each_line_of_the_arithmetic_is_right(line: str) -> None:
    left, _, right = line.partition(": ")[2].partition(" = ")
    value = _result(_read(left))
    shown, *rounded_up = _read(right)
    half = Decimal(1).scaleb(int(Decimal(shown).as_tuple().exponent)) / 2
    assert abs(value - float(shown)) <= float(half) + 1e-9
    assert [int(number) for number in rounded_up] in ([], [math.ceil(value)])


@pytest.mark.parametrize("page", SOURCES)
def test_its_figures_stand_in_the_pages_that_it_names(page: str) -> None:
    there = (ROOT / page).read_text()
    for figure in SOURCES[page].split("|"):
        assert re.search(rf"(?<![\d,.]){re.escape(figure)}(?![\d.])", there), figure
        [number, *_] = re.findall(r"\d[\d,]*", figure)
        assert re.search(rf"(?<![\d,.]){number}(?!\d)", FIGURES), number
