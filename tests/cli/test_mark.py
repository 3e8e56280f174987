"""``miharu mark``, as a script that deploys calls it."""

from pathlib import Path

import pytest

from miharu.cli import main
from tests.attribution.test_marks import rows


def test_a_script_marks_a_deploy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    database = tmp_path / "new.db"
    words = ["--database", str(database), "--service", "api", "--tag", "by=ci"]
    assert main(["mark", "deploy 1.4", "--at", "2026-11-30T14:05", *words]) == 0
    assert "Marked 'deploy 1.4' at 2026-11-30 14:05 UTC in" in capsys.readouterr().out
    assert rows(database) == [("deploy 1.4", "mark", 1_796_047_500_000, "api", '{"by": "ci"}')]
    assert main(["mark", " ", "--database", str(database)]) == 2
    assert "give a text that says what happened" in capsys.readouterr().err.replace("\n", " ")
    with pytest.raises(SystemExit):
        main(["mark", "x", "--tag", "by"])
    assert "is not a tag" in capsys.readouterr().err
