"""Templates are read in diffs: a change of one element is a change of one short line."""

from pathlib import Path

import pytest

from miharu.dashboard.http import assets

LONGEST = 140
TEMPLATES = assets.web() / "templates"
KEPT_SHORT = sorted(
    {
        *TEMPLATES.glob("drawer/*.html"),
        *TEMPLATES.glob("pages/overview.html"),
        *(
            TEMPLATES / f"{name}.html"
            for name in ("base", "chart", "filters", "groups", "rows", "scores", "top", "who")
        ),
        *(
            TEMPLATES / "panels" / f"{name}.html"
            for name in ("calls", "charts", "models", "routes", "scores", "session", "tags", "usage", "users")
        ),
    }
)


@pytest.mark.parametrize("template", KEPT_SHORT, ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_lines_stay_short(template: Path) -> None:
    lines = template.read_text("utf-8").splitlines()
    assert {number: len(line) for number, line in enumerate(lines, 1) if len(line) > LONGEST} == {}
