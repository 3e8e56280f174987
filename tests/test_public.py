import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import miharu

PACKAGE = Path(miharu.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))


def test_import_loads_nothing_third_party() -> None:
    code = (
        "import sys; before = set(sys.modules); import miharu; import json;"
        "print(json.dumps(sorted(m.partition('.')[0] for m in set(sys.modules) - before)))"
    )
    out = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(out.stdout))
    assert loaded - set(sys.stdlib_module_names) == {"miharu"}


def test_init_imports_no_client_and_no_database_on_the_callers_thread() -> None:
    code = """
import sys, threading, builtins
import miharu
heavy = {"httpx", "httpx2", "sqlalchemy", "genai_prices", "jinja2", "litestar", "anyio"}
real, guilty = builtins.__import__, []
def watch(name, *args, **kwargs):
    if threading.current_thread() is threading.main_thread() and name.partition(".")[0] in heavy:
        guilty.append(name)
    return real(name, *args, **kwargs)
builtins.__import__ = watch
miharu.init(":memory:")
builtins.__import__ = real
print(guilty)
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize("name", miharu.__all__)
def test_public_name_resolves(name: str) -> None:
    assert getattr(miharu, name) is getattr(miharu, name)


def test_public_names_are_listed() -> None:
    assert dir(miharu) == sorted(miharu.__all__)
    with pytest.raises(AttributeError, match="nonsense"):
        _ = miharu.nonsense  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_module_declares_what_it_exports(path: Path) -> None:
    """Every public module declares ``__all__`` as a tuple, and says in a docstring what it is."""
    tree = ast.parse(path.read_text())
    if path.name.startswith("_") and path.name != "__init__.py":
        return
    assert ast.get_docstring(tree), "a module says what the reader gets"
    definitions = [
        n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef)
    ]
    if not any(not d.name.startswith("_") for d in definitions):
        return
    exported = [
        n.value
        for n in tree.body
        if isinstance(n, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in n.targets)
    ]
    assert len(exported) == 1
    assert isinstance(exported[0], ast.Tuple)
