"""The docs say what is there: each setting, each name, each column.

Each example has a test of its own that does with it what its reader would do, in ``tests/docs``.
"""

import argparse
import ast
import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest

import miharu
from miharu.cli import _main
from miharu.cli.doctor import environment
from miharu.stores.columns import CALLS
from tests.docs import blocks

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")])
MODULES = [
    path.relative_to(ROOT / "miharu")
    for path in sorted((ROOT / "miharu").rglob("*.py"))
    if path.name not in {"__init__.py", "__main__.py", "_version.py"}
]
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text()
COMMANDS = (ROOT / "docs" / "commands.md").read_text()
SOURCES = "".join(path.read_text() for path in (ROOT / "miharu").rglob("*.py"))


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
    for name, command in _each_of(commands):
        line = " ".join(line for line in COMMANDS.splitlines() if line.startswith(f"    miharu {name} "))
        options = {option for action in command._actions for option in action.option_strings} - {
            "-h",
            "--help",
        }
        assert options == set(re.findall(r"--[\w-]+", line))


def _each_of(commands: argparse._SubParsersAction, name: str = "") -> Iterator[tuple[str, Any]]:  # type: ignore[type-arg]
    """Each command by its name, those of a command in place of the command itself."""
    for own, command in commands.choices.items():
        below = [action for action in command._actions if isinstance(action, argparse._SubParsersAction)]
        whole = f"{name} {own}".strip()
        yield from _each_of(below[0], whole) if below else ((whole, command),)


def test_each_example_is_exercised() -> None:
    for module in (ROOT / "tests" / "docs").glob("test_*.py"):
        import_module(f"tests.docs.{module.stem}")
    for block in blocks.BLOCKS:
        assert block in blocks.EXERCISED, (
            f"No test does with the example at {block} what its reader would. Write one in tests/docs, and "
            f"mark it with @of({block.page!r}, …) and words that stand in this example alone."
        )
    assert len(blocks.EXERCISED) == len(blocks.BLOCKS)


SPANS = sorted({span for page in blocks.PAGES for span in re.findall(r"`([^`\n]+)`", page.read_text())})
CALLS_IN_SENTENCES = [span for span in SPANS if re.search(r"\bmiharu\.\w+\(", span)]
COMMANDS_IN_SENTENCES = [span for span in SPANS if re.match(r"miharu( |$)", span)]
SETTINGS_IN_SENTENCES = [span for span in SPANS if re.match(r"MIHARU_\w+=", span)]


@pytest.mark.parametrize("text", CALLS_IN_SENTENCES)
def test_each_call_in_a_sentence_has_the_parameters_that_it_names(text: str) -> None:
    tree = ast.parse(_completed(text))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    ours = [call for call in calls if ast.unparse(call.func).startswith("miharu.")]
    assert ours
    for call in ours:
        function = getattr(miharu, ast.unparse(call.func).removeprefix("miharu."))
        given = {str(keyword.arg): None for keyword in call.keywords}
        values = [None for value in call.args if ast.unparse(value) != "..."]
        inspect.signature(function).bind_partial(*values, **given)


SIGNATURES = re.findall(r"`(miharu\.\w+\([^`…]+\))`", CONFIGURATION.partition("## The other functions")[2])


@pytest.mark.parametrize("text", SIGNATURES)
def test_each_signature_in_the_table_is_the_one(text: str) -> None:
    [call] = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    function = getattr(miharu, ast.unparse(call.func).removeprefix("miharu."))
    given = [ast.unparse(value) for value in call.args]
    given += [f"{keyword.arg}={ast.unparse(keyword.value)}" for keyword in call.keywords]
    parameters = inspect.signature(function).parameters.values()
    assert given == [
        one.name if one.default is one.empty else f"{one.name}={one.default!r}" for one in parameters
    ]


def _completed(text: str) -> str:
    """What Python can read: a block without its body, a decorator without its function."""
    text = text.replace("…", "...")
    if text.startswith("@"):
        return f"{text}\ndef function(): ..."
    return f"{text} ..." if text.endswith(":") else text.replace(", ...)", ")")


@pytest.mark.parametrize("text", COMMANDS_IN_SENTENCES)
def test_each_command_in_a_sentence_exists(text: str) -> None:
    parser = _main._parser()
    [commands] = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    _, *words = text.split()
    if words[:1] == ["cassette"]:
        [commands] = [
            action
            for action in commands.choices["cassette"]._actions
            if isinstance(action, argparse._SubParsersAction)
        ]
        words = [*takewhile(lambda word: word != "--", words[1:])]
    if words[:1] == ["run"]:  # what follows is the program's
        words = [*takewhile(lambda word: word not in {"-m", "--"}, words)]
    if words:
        options = {
            option for action in commands.choices[words[0]]._actions for option in action.option_strings
        }
        assert {word for word in words if word.startswith("-")} <= options


@pytest.mark.parametrize("text", SETTINGS_IN_SENTENCES)
def test_each_setting_in_a_sentence_makes_sense(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, _, value = text.partition("=")
    assert name in environment.VARIABLES
    monkeypatch.setenv(name, value.strip('"'))
    assert not [finding.text for finding in environment.findings() if finding.mark == "wrong"]


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


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_each_file_is_named_in_the_walk_or_in_the_map_of_its_folder(path: Path) -> None:
    walk = (ROOT / "docs" / "architecture.md").read_text()
    folder = ast.parse((ROOT / "miharu" / path).with_name("__init__.py").read_text())
    named = re.search(rf"(?<![\w/]){re.escape(path.name)}", ast.get_docstring(folder) or "")
    assert named or f"`{path}`" in walk


def test_no_exported_name_is_also_a_module() -> None:
    """Importing such a module would put it where the exported name is expected."""
    modules = {path.stem for path in (ROOT / "miharu").iterdir() if path.suffix == ".py" or path.is_dir()}
    assert not modules & set(miharu.__all__)


def test_the_version_has_a_changelog() -> None:
    assert f"\n## {miharu.__version__}\n" in (ROOT / "CHANGELOG.md").read_text()


def test_what_a_kill_loses_and_what_lies_beside_the_database_is_said_in_one_place() -> None:
    pages = {page.name: page.read_text() for page in blocks.PAGES}
    assert [name for name, text in pages.items() if "SIGKILL" in text] == ["storage.md"]
    assert [name for name, text in pages.items() if "| `calls.db.layout` |" in text] == ["storage.md"]
