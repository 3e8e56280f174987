"""The public surface has the types that a program with strict checks relies on (tests/typed).

mypy and pyright both read what such a program writes; pyright comes as basedpyright: a wheel with node in it.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TYPED = ROOT / "tests" / "typed"


def test_mypy_strict_takes_it() -> None:
    pytest.importorskip("mypy")
    command = [sys.executable, "-m", "mypy", "--strict", "--warn-unused-ignores", str(TYPED)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_pyright_strict_takes_it(tmp_path: Path) -> None:
    pytest.importorskip("basedpyright")
    settings = {
        "include": [str(TYPED)],
        "typeCheckingMode": "strict",
        "pythonVersion": "3.11",
        "extraPaths": [str(ROOT)],
        # mypy's own comments say nothing to pyright, and one of pyright's that silences nothing is an error
        "enableTypeIgnoreComments": False,
        "reportUnnecessaryTypeIgnoreComment": "error",
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [
        sys.executable,
        "-m",
        "basedpyright",
        "--project",
        str(tmp_path),
        "--pythonpath",
        sys.executable,
    ]
    run = subprocess.run([*command, "--outputjson"], capture_output=True, text=True, check=False)
    report = json.loads(run.stdout)
    said = [
        f"{Path(found['file']).name}:{found['range']['start']['line'] + 1}: {found['message']}"
        for found in report["generalDiagnostics"]
        if found["severity"] == "error"
    ]
    assert not said, "\n".join(said)
    assert report["summary"]["filesAnalyzed"] >= len(list(TYPED.glob("*.py")))
