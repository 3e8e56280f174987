"""A whole process for each case: what is patched there stays there."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
Child = Callable[..., Any]

QUIET = {
    "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
    "DD_REMOTE_CONFIGURATION_ENABLED": "false",
    "DD_TRACE_STARTUP_LOGS": "false",
    "DD_CRASHTRACKING_ENABLED": "false",
    "LOGFIRE_SEND_TO_LOGFIRE": "false",
    "LOGFIRE_IGNORE_NO_CONFIG": "1",
    "OTEL_SDK_DISABLED": "false",
}
"""What would otherwise send something somewhere."""


def collect() -> None:
    """Skip the module that calls this, with one line, where the others are not installed."""
    if find_spec("ddtrace") is None:
        pytest.skip(
            "the others have an environment of their own: requirements/beside.txt", allow_module_level=True
        )


@pytest.fixture
def child(tmp_path: Path) -> Child:
    """Run a module of this folder in a process of its own; it prints JSON in its last line."""

    def run(module: str, *args: str) -> Any:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", module, *args],
            cwd=tmp_path,
            env=os.environ | QUIET | {"PYTHONPATH": str(ROOT), "MIHARU_UNGUARDED": "1"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run
