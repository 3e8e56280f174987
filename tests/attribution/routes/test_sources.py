"""What work is called that nobody asked for over the web."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from miharu.attribution.routes import sources

CALL = f"""
import miharu, sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from tests.calls import ask
with miharu.capture() as calls:
    ask()
print("route:", calls[0].route)
"""
"""A program that makes one call and says whose it was."""


def run(folder: Path, *command: str, typed: str | None = None) -> str:
    """What the program says, started as its users start it, and perhaps typed into."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    out = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environ,
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert out.returncode == 0, out.stderr
    return out.stdout.partition("route: ")[2].strip()


def test_a_script(tmp_path: Path) -> None:
    (tmp_path / "ingest.py").write_text(CALL)
    assert run(tmp_path, "ingest.py", "--from", "secret") == "script ingest.py"
    assert run(tmp_path, str(tmp_path / "ingest.py")) == "script ingest.py"


@pytest.mark.parametrize("words", [("ingest.py",), ("-m", "ingest")])
def test_a_script_has_its_name_at_its_end(words: tuple[str, ...], tmp_path: Path) -> None:
    """A short one is over before its calls are read, and then Python has forgotten its file."""
    asks = "from miharu.attribution.routes.sources import process_source as name"
    (tmp_path / "ingest.py").write_text(
        f"import atexit\n{asks}\natexit.register(lambda: print('route:', name()))"
    )
    assert run(tmp_path, *words) == f"script {words[-1]}"


def test_a_module_and_a_package(tmp_path: Path) -> None:
    package = tmp_path / "jobs"
    package.mkdir()
    for name in ("__init__", "__main__", "nightly"):
        (package / f"{name}.py").write_text(CALL if name != "__init__" else "")
    assert run(tmp_path, "-m", "jobs.nightly") == "script jobs.nightly"
    assert run(tmp_path, "-m", "jobs") == "script jobs"


def test_a_command_of_django(tmp_path: Path) -> None:
    (tmp_path / "manage.py").write_text(CALL)
    assert run(tmp_path, "manage.py", "import_products", "--all") == "script manage.py import_products"
    assert run(tmp_path, "manage.py") == "script manage.py"


@pytest.mark.parametrize("name", ["uvicorn", "gunicorn", "celery", "pytest"])
def test_a_program_that_runs_other_peoples_code_has_no_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(CALL)
    assert run(tmp_path, name) == "None"


def test_a_program_given_on_the_command_line_has_no_name(tmp_path: Path) -> None:
    assert run(tmp_path, "-c", CALL) == "None"


def test_an_interactive_session(tmp_path: Path) -> None:
    """What is piped in runs as if it were typed at the prompt."""
    typed = CALL.replace("    ask()\n", "    ask()\n\n") + "exit()\n"
    assert run(tmp_path, "-q", "-i", typed=typed) == "interactive"


def test_a_process_that_serves_is_no_script(tmp_path: Path) -> None:
    """Outside of a request it is not known for whom it works."""
    (tmp_path / "app.py").write_text(
        """
import asyncio
import miharu
async def app(scope, receive, send): ...
asyncio.run(miharu.MiharuMiddleware(app)({"type": "lifespan"}, None, None))
"""
        + CALL
    )
    assert run(tmp_path, "app.py") == "None"


@pytest.mark.parametrize(
    ("session", "name"), [(None, "notebook"), ("work/report.ipynb", "notebook report.ipynb")]
)
def test_a_notebook(monkeypatch: pytest.MonkeyPatch, session: str | None, name: str) -> None:
    """Its kernel is loaded, and Jupyter says which file it runs. (A real one: tests/frameworks.)"""
    monkeypatch.setitem(sys.modules, "ipykernel", sys)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    if session:
        monkeypatch.setenv("JPY_SESSION_NAME", session)
    assert sources._name.__wrapped__() == name
