"""The small files beside the database: whatever stands in them, it is read, or it is none."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miharu.stores.sqlite.repair import sidecar
from miharu.stores.sqlite.repair.layout import Layout, beside, layout_of
from miharu.stores.sqlite.repair.quarantine import SetAside
from miharu.stores.sqlite.repair.rescue import report
from miharu.stores.sqlite.repair.rescue.report import Progress, Report
from miharu.stores.sqlite.repair.salvage.rowids import Gap

LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["", "llm_calls", "\x1b[2J"])
)
JSON = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("page_size", "tables", "root", "columns", "llm_calls", "llm_scores"),
                    *(
                        "again",
                        "leaves",
                        "attempts",
                        "failure",
                        "finished",
                        "after",
                        "read",
                        "gaps",
                        "first",
                        "last",
                    ),
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("beside")


def an_aside(folder: Path) -> SetAside:
    return SetAside(folder / "calls.db.corrupt-20260101T000000Z", "20260101T000000Z", done=False)


@given(facts=JSON)
def test_any_json_is_a_layout_or_none(folder: Path, facts: Any) -> None:
    beside(folder / "calls.db").write_text(json.dumps(facts))
    layout = layout_of(folder / "calls.db")
    assert layout is None or layout.tables


@given(facts=JSON)
def test_any_json_is_a_report_that_can_be_said(folder: Path, facts: Any) -> None:
    an_aside(folder).report.write_text(json.dumps(facts))
    found = report.load(an_aside(folder))
    assert found.attempts >= 0
    assert found.words().isprintable()


@pytest.mark.parametrize(
    "change",
    [
        {"attempts": -(10**9)},
        {"attempts": "3"},
        {"failure": "\x1b[2J"},
        {"tables": {"llm_calls": {"after": 2**70}}},
        {"tables": {"llm_calls": {"gaps": [{"first": -1, "last": None}]}}},
        {"again": {"llm_calls": {"lost": -5}}},
    ],
)
def test_a_report_that_cannot_be_true_is_begun_anew(tmp_path: Path, change: dict[str, Any]) -> None:
    aside = an_aside(tmp_path)
    written = Report(
        tables={"llm_calls": Progress(after=7, read=5, gaps=(Gap(2, 3), Gap(9, None)))}, attempts=2
    )
    report.save(aside, written)
    assert report.load(aside) == written
    aside.report.write_text(json.dumps(json.loads(aside.report.read_text()) | change))
    assert report.load(aside) == Report()


def test_a_folder_in_its_place_is_set_aside(tmp_path: Path) -> None:
    file = tmp_path / "calls.db.layout"
    file.mkdir()
    sidecar.write(file, {"page_size": 4096, "tables": {}})
    assert sidecar.read(file, Layout) == Layout(4096, {})
    assert len(list(tmp_path.iterdir())) == 2
