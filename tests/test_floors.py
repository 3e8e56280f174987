import subprocess
import sys
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]


def test_imports_go_down_only() -> None:
    """The layers contract of ``pyproject.toml`` holds.

    In a process of its own: import-linter sets up logging for the whole process.
    """
    code = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert out.returncode == 0, out.stdout


def test_no_module_leads_back_to_itself() -> None:
    """Not by a late import, and not by its types either."""
    graph = grimp.build_graph("miharu", cache_dir=None)
    left = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    while ends := {module for module, needed in left.items() if not needed & left.keys()}:
        left = {module: needed for module, needed in left.items() if module not in ends}
    assert not left, f"in circles, or above one: {sorted(left)}"
