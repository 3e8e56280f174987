import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_imports_go_down_only() -> None:
    """The layers contract of ``pyproject.toml`` holds.

    In a process of its own: import-linter sets up logging for the whole process.
    """
    code = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert out.returncode == 0, out.stdout
