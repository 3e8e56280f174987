import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

import pytest

from miharu import plugins

GROUP = "miharu.exporters"
ABOUT = "Metadata-Version: 2.1\nName: other\nVersion: 1\n"
POINTS = f"[console_scripts]\nother = other:main\n\n[{GROUP}]\nother = other:Other\n"


def write(folder: Path, points: str, about: str = "other-1.dist-info") -> None:
    (folder / about).mkdir(parents=True)
    (folder / about / "METADATA").write_text(ABOUT)
    (folder / about / "PKG-INFO").write_text(ABOUT)
    (folder / about / "entry_points.txt").write_text(points)


@pytest.fixture(autouse=True)
def only_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])


@pytest.fixture
def search(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The groups that are searched for in full."""
    from importlib import metadata

    searched: list[str] = []
    entry_points = metadata.entry_points

    def search(group: str) -> Any:
        searched.append(group)
        return entry_points(group=group)

    monkeypatch.setattr(metadata, "entry_points", search)
    return searched


@pytest.mark.parametrize("about", ["other-1.dist-info", "other.egg-info"])
def test_those_of_another_package_are_found(tmp_path: Path, about: str) -> None:
    write(tmp_path, POINTS, about)
    assert [point.name for point in plugins.installed(GROUP)] == ["other"]


def test_nothing_is_searched_where_no_package_names_the_group(tmp_path: Path, search: list[str]) -> None:
    write(tmp_path, "[console_scripts]\nmiharu.exporters = other:main\n")
    (tmp_path / "bare-1.dist-info").mkdir()
    sys.path += [str(tmp_path / "is not there"), ""]
    assert plugins.installed(GROUP) == ()
    assert search == []


def test_what_cannot_be_looked_at_is_passed_over(tmp_path: Path) -> None:
    sys.path.append(str(tmp_path / ("x" * 5000)))
    assert plugins.installed(GROUP) == ()
    write(tmp_path, POINTS)
    assert [point.name for point in plugins.installed(GROUP)] == ["other"]


def test_an_archive_is_searched(tmp_path: Path) -> None:
    archive = tmp_path / "all.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("other-1.dist-info/METADATA", ABOUT)
        file.writestr("other-1.dist-info/entry_points.txt", POINTS)
    sys.path.append(str(archive))
    assert [point.name for point in plugins.installed(GROUP)] == ["other"]


def test_an_egg_is_searched(tmp_path: Path) -> None:
    write(tmp_path / "other-1.egg", POINTS, "EGG-INFO")
    sys.path.append(str(tmp_path / "other-1.egg"))
    assert [point.name for point in plugins.installed(GROUP)] == ["other"]


def test_what_finds_packages_in_its_own_way_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "elsewhere", POINTS)

    class Finder:
        def find_spec(self, *_: object) -> None: ...

        def find_distributions(self, _: object) -> Iterator[Distribution]:
            yield Distribution.at(tmp_path / "elsewhere" / "other-1.dist-info")

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder()])
    assert [point.name for point in plugins.installed(GROUP)] == ["other"]
