"""The docs say what is there: each setting, each name, each column; and their examples compile."""

import argparse
import inspect
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import miharu
from miharu.cli import _main
from miharu.stores.columns import CALLS

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")])
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text()
COMMANDS = (ROOT / "docs" / "commands.md").read_text()
SOURCES = "".join(path.read_text() for path in (ROOT / "miharu").rglob("*.py"))
BLOCKS = [
    pytest.param(block, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, block in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL))
]


@pytest.mark.parametrize("name", sorted(set(re.findall(r'"(MIHARU_[A-Z]+(?:_[A-Z]+)*)"', SOURCES))))
def test_each_variable_is_described(name: str) -> None:
    assert f"| `{name}` |" in CONFIGURATION


@pytest.mark.parametrize("name", miharu.__all__)
def test_each_public_name_is_described(name: str) -> None:
    assert f"`miharu.{name}" in CONFIGURATION


def test_each_argument_of_init_is_described() -> None:
    for name in inspect.signature(miharu.init).parameters:
        assert f"| `{name}` |" in CONFIGURATION


def test_each_figure_of_stats_is_described() -> None:
    for name in miharu.stats():
        assert f"`{name}`" in CONFIGURATION


@pytest.mark.parametrize("name", [*CALLS, "cost_cents"])
def test_each_column_is_described(name: str) -> None:
    rows = CONFIGURATION.partition("## The table `llm_calls`")[2]
    assert f"`{name}`" in rows


def test_no_column_is_described_that_does_not_exist() -> None:
    rows = CONFIGURATION.partition("## The table `llm_calls`")[2]
    described = {
        name
        for row in re.findall(r"^\| (`.*?) \|", rows, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", row)
    }
    assert described == {*CALLS, "cost_cents"}


def test_each_command_and_option_is_described() -> None:
    parser = _main._parser()
    [commands] = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    for name, command in commands.choices.items():
        [line] = [line for line in COMMANDS.splitlines() if line.startswith(f"    miharu {name}")]
        options = {option for action in command._actions for option in action.option_strings} - {
            "-h",
            "--help",
        }
        assert options == set(re.findall(r"--[\w-]+", line))


@pytest.mark.parametrize("block", BLOCKS)
def test_each_example_runs(
    block: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    example = ModuleType("example")
    names: dict[str, Any] = example.__dict__
    with monkeypatch.context() as off:
        off.setenv("MIHARU_DISABLED", "1")
        off.setitem(sys.modules, "example", example)  # Litestar reads annotations from there
        exec(compile(block, "example", "exec"), names)
    for name, value in names.items():
        if name.startswith("test_"):
            fixtures = inspect.signature(value).parameters
            value(**{fixture: request.getfixturevalue(fixture) for fixture in fixtures})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        # The picture is taken from a running dashboard and may be missing from a checkout.
        assert (page.parent / target).exists() or target.endswith(".png"), target


def test_the_architecture_names_files_that_exist() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    for name in re.findall(r"`([\w/]+\.py)`", text):
        assert (ROOT / "miharu" / name).exists(), name
    for name in re.findall(r"`([\w/]+/)`", text):
        assert (ROOT / "miharu" / name).exists() or (ROOT / name).exists(), name


def test_no_exported_name_is_also_a_module() -> None:
    """Importing such a module would put it where the exported name is expected."""
    modules = {path.stem for path in (ROOT / "miharu").iterdir() if path.suffix == ".py" or path.is_dir()}
    assert not modules & set(miharu.__all__)


def test_the_version_has_a_changelog() -> None:
    assert f"\n## {miharu.__version__}\n" in (ROOT / "CHANGELOG.md").read_text()
