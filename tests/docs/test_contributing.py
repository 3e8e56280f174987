import re
import shutil
import sys
import tomllib
from pathlib import Path
from typing import Any

from tests.docs.blocks import ROOT, Block, of

SETTINGS: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
FLOORS = [
    {*re.split(r" \| ", layer)}
    for layer in SETTINGS["tool"]["importlinter"]["contracts"][0]["layers"]
    if layer != "__main__"
]


def _floors(example: Block, names: str) -> list[set[str]]:
    """The names with which each line begins."""
    found = (re.match(names, line) for line in example.text.splitlines())
    return [{*re.findall(r"\w+", one[0])} for one in found if one]


def _assert_in_order(floors: list[set[str]]) -> None:
    ranks = {name: rank for rank, floor in enumerate(FLOORS) for name in floor}
    order = [ranks[name] for floor in floors for name in sorted(floor, key=lambda name: ranks[name])]
    assert order == sorted(order)


@of("CONTRIBUTING.md", "pip install -e")
def test_the_group_that_is_installed_exists(example: Block) -> None:
    [command] = example.commands
    assert command.split()[-1] in SETTINGS["dependency-groups"]


@of("CONTRIBUTING.md", "ruff check")
def test_each_tool_is_installed(example: Block) -> None:
    folder = str(Path(sys.executable).parent)
    for command in example.commands[0].split(" && "):
        assert shutil.which(command.split()[0], path=folder), command


@of("CONTRIBUTING.md", "providers, pricing")
def test_the_floors_are_those_that_are_checked(example: Block) -> None:
    _assert_in_order(_floors(example, r"\w+(, \w+)*"))


@of("docs/architecture.md", "providers   pricing")
def test_the_floors_of_the_walk_are_all_of_them(example: Block) -> None:
    floors = _floors(example, r"\w+( +\w+)*")
    _assert_in_order(floors)
    assert {"_version"} | {name for floor in floors for name in floor} == {
        name for floor in FLOORS for name in floor
    }


@of("docs/architecture.md", "batch_reader   exports")
def test_the_rooms_of_the_recorder_are_those_that_are_checked(example: Block) -> None:
    assert _floors(example, r"\w+( +\w+)*") == _rooms("miharu.recorder")


@of("docs/architecture.md", "queries\n")
def test_the_rooms_of_the_dashboard_are_those_that_are_checked(example: Block) -> None:
    assert _floors(example, r"\w+( +\w+)*") == _rooms("miharu.dashboard")


def _rooms(package: str) -> list[set[str]]:
    [rooms] = (
        contract["layers"]
        for contract in SETTINGS["tool"]["importlinter"]["contracts"]
        if contract["containers"] == [package]
    )
    return [{*room.split(" | ")} for room in rooms]
