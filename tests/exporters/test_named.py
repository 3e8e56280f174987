"""Exporters by name: of miharu, and of other packages."""

import subprocess
import sys
from pathlib import Path

import pytest

import miharu
from miharu import exporters
from tests.calls import ask


@pytest.fixture
def their_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "site"
    about = folder / "their_package-1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: their-package\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[miharu.exporters]\ntheirs = their_package:Theirs\n")
    (folder / "their_package.py").write_text(
        "made = []\n\n\nclass Theirs:\n"
        "    def __init__(self):\n        made.append(self)\n        self.calls = []\n\n"
        "    async def export(self, batch):\n        self.calls += batch.calls\n\n"
        "    async def close(self):\n        pass\n"
    )
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "their_package", raising=False)
    return folder


def test_an_unknown_name_is_refused_with_the_choices(database: Path) -> None:
    with pytest.raises(miharu.ConfigError, match=r"exporters='oltp': there is no exporter.*choose from otlp"):
        miharu.init(database, exporters=["oltp"])


def test_the_choices_include_those_of_other_packages(database: Path, their_package: Path) -> None:
    with pytest.raises(miharu.ConfigError, match="choose from otlp, theirs"):
        miharu.init(database, exporters=["oltp"])


@pytest.mark.parametrize("names", [["theirs"], ["theirs", "theirs"], []])
def test_one_of_another_package_runs_once_whether_it_is_named_or_not(
    database: Path, their_package: Path, names: list[str]
) -> None:
    miharu.init(database, exporters=names)
    ask()
    assert miharu.flush(20)
    [made] = sys.modules["their_package"].made
    assert len(made.calls) == 1


def test_a_typo_in_the_environment_is_said_and_switches_off(
    database: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MIHARU_EXPORTERS", "oltp")
    miharu.init(database)
    assert "MIHARU_EXPORTERS='oltp': there is no exporter of that name" in caplog.text
    assert miharu.stats()["database"] is None


def test_the_argument_wins_over_the_environment(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIHARU_EXPORTERS", "oltp")
    miharu.init(database, exporters=[])
    assert miharu.stats()["database"]


@pytest.mark.parametrize("wrong", ["otlp", [""], [" "], [7]])
def test_what_is_no_list_of_names_or_exporters_is_refused(database: Path, wrong: object) -> None:
    with pytest.raises(miharu.ConfigError, match="exporters="):
        miharu.init(database, exporters=wrong)  # type: ignore[arg-type]


def test_a_missing_package_is_named_with_the_remedy(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporters, "_NEEDS", {"otlp": "not_installed_here"})
    with pytest.raises(miharu.ConfigError, match=r"pip install 'miharu\[otlp\]'"):
        miharu.init(database, exporters=["otlp"])


def test_one_that_cannot_be_made_is_left_out(
    database: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318")
    miharu.init(database, exporters=["otlp"])
    ask()
    assert miharu.flush(20)
    assert miharu.stats()["written"] == 1
    assert "the exporter 'otlp' is left out" in caplog.text
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in caplog.text


def test_nothing_of_opentelemetry_is_imported_unless_it_is_named() -> None:
    script = (
        "import sys, miharu; miharu.init(':memory:'); miharu.flush(20); miharu.shutdown(20);"
        "print([name for name in sys.modules if name.startswith(('opentelemetry', 'google'))])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
