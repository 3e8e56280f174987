"""The examples of the docs: what stands in a fence, and what stands indented as lines for a terminal.

A block is named by its page and by words that no other block of that page has. ``of`` marks the test that
does with it what its reader would do; ``tests/test_docs.py`` fails for a block that no test is marked with.
"""

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

__all__ = ("BLOCKS", "EXERCISED", "PAGES", "ROOT", "Block", "of")

ROOT = Path(__file__).parents[2]
PAGES = (
    *(ROOT / "README.md", ROOT / "CONTRIBUTING.md"),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "examples").rglob("README.md")),
)


@dataclass(frozen=True, slots=True)
class Block:
    """One example."""

    page: str
    """Relative to the project's root."""
    line: int
    language: str
    """As the fence says it; ``console`` for what is indented."""
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def commands(self) -> list[str]:
        """Its lines, without comments and blank ones."""
        lines = (line.partition("  #")[0].strip() for line in self.text.splitlines())
        return [line for line in lines if line]

    def run(self, instead: Mapping[str, str] | None = None, **names: Any) -> Any:
        """Execute it, and give what it has defined.

        Args:
            instead: What is written in the place of some of its text, such as a call of a model for ``...``.
            names: What that needs.
        """
        text = self.text
        for old, new in (instead or {}).items():
            assert text.count(old) == 1, f"{self}: {old!r} stands there {text.count(old)} times"
            text = text.replace(old, new)
        module = ModuleType("example")
        module.__dict__.update(names)
        sys.modules["example"] = module  # Litestar reads annotations from there
        exec(compile(text, str(self), "exec"), module.__dict__)
        return SimpleNamespace(**module.__dict__)


def _blocks(page: Path) -> Iterator[Block]:
    name = page.relative_to(ROOT).as_posix()
    fence, start, lines = None, 0, list[str]()
    for number, line in enumerate([*page.read_text().splitlines(), ""], 1):
        opening = re.fullmatch(r"```(\w+)?", line)
        if fence is None and opening and opening[1]:
            fence, start, lines = opening[1], number + 1, []
        elif fence is not None and line == "```":
            yield Block(name, start, fence, "\n".join(lines) + "\n")
            fence, lines = None, []
        elif fence is not None:
            lines.append(line)
        elif line.startswith("    "):
            start = start if lines else number
            lines.append(line[4:])
        elif lines:
            yield Block(name, start, "console", "\n".join(lines) + "\n")
            lines = []


BLOCKS = tuple(block for page in PAGES for block in _blocks(page))
EXERCISED: list[Block] = []
"""Those for which there is a test, as far as its module is imported."""

Test = Callable[..., Any]


def of(page: str, words: str) -> Callable[[Test], Test]:
    """Mark the test that exercises the block of that page in which these words stand.

    It gets the block by the name ``example``.
    """
    found = [block for block in BLOCKS if block.page == page and words in block.text]
    assert len(found) == 1, f"{len(found)} blocks of {page} have {words!r} in them; give words that one has"
    EXERCISED.extend(found)
    return pytest.mark.parametrize("example", found, ids=str)
