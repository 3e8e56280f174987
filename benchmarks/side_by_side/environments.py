"""An environment of its own for each tool, so that no tool meets what another brings along."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ("REQUIREMENTS", "installed_bytes", "interpreter", "make", "versions")

CHECKOUT = Path(__file__).parents[2]
_SDK = "openai>=3"
_OTLP = ("opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http")

REQUIREMENTS: dict[str, tuple[str, ...]] = {
    "bare": (_SDK,),
    "miharu": (_SDK,),  # and the checkout itself
    "OpenTelemetry GenAI": (_SDK, "opentelemetry-instrumentation-genai-openai>=1.3b0", *_OTLP),
    "OpenTelemetry httpx": (_SDK, "opentelemetry-instrumentation-httpx>=0.66b2", *_OTLP),
    "Langfuse": (_SDK, "langfuse>=5"),
    "OpenInference": (_SDK, "openinference-instrumentation-openai>=0.1.66", *_OTLP),
    "OpenLLMetry": (_SDK, "opentelemetry-instrumentation-openai>=0.62", *_OTLP),
    "Logfire": (_SDK, "logfire>=5.4"),
    "Sentry": (_SDK, "sentry-sdk>=2.75"),
}
"""What is installed for each tool; the first is what the others are compared with."""


def interpreter(folder: Path, tool: str) -> Path:
    """The Python of the tool's environment."""
    return _home(folder, tool) / "bin" / "python"


def make(folder: Path, tool: str, checkout: Path = CHECKOUT) -> None:
    """Make the tool's environment, unless it is there with the same requirements; miharu's is made anew."""
    wanted = [*REQUIREMENTS[tool], *([str(checkout)] if tool == "miharu" else [])]
    stamp = hashlib.sha256("\n".join([sys.version, *wanted]).encode()).hexdigest()
    home, known = _home(folder, tool), _home(folder, tool) / "stamp"
    if tool != "miharu" and known.exists() and known.read_text() == stamp:
        return
    shutil.rmtree(home, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", home], check=True)
    python = str(interpreter(folder, tool))
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if uv := shutil.which("uv"):
        pip = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python]
        pip.append("--prerelease=if-necessary-or-explicit")
    subprocess.run([*pip, *wanted], check=True)
    known.write_text(stamp)


def versions(folder: Path, tool: str) -> str:
    """The versions of what makes the tool, as its table names them."""
    names = [requirement.partition(">")[0] for requirement in REQUIREMENTS[tool][1:2]] or ["openai"]
    if tool == "miharu":
        names = ["miharu"]
    script = f"from importlib.metadata import version; print(*(n + ' ' + version(n) for n in {names!r}))"
    run = subprocess.run(
        [interpreter(folder, tool), "-c", script], check=True, capture_output=True, text=True
    )
    return run.stdout.strip()


def installed_bytes(folder: Path, tool: str) -> int:
    """What the environment's packages take on disk, compiled files aside."""
    files = (_home(folder, tool) / "lib").rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file() and file.suffix != ".pyc")


def _home(folder: Path, tool: str) -> Path:
    return folder / tool.lower().replace(" ", "-")
