"""Programs of their own, where no pytest is about."""

import os
import subprocess
import sys
from pathlib import Path

from tests.calls import ANSWER, ASKED, URL

__all__ = ("PRELUDE", "run")

PRELUDE = f"""
import sys, miharu
miharu.init(sys.argv[1])
import httpx2
transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json={ANSWER!r}))
def ask():
    httpx2.Client(transport=transport).post({URL!r}, json={ASKED!r})
"""
"""Watches, and has a function that makes a call."""


def run(script: str, database: Path, **environ: str) -> str:
    """Run a script as a user would, in a process of its own, where no pytest is about."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("MIHARU_", "PYTEST_"))
    }
    out = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, str(database)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=inherited | environ,
        cwd=database.parent,
    )
    assert out.returncode == 0, out.stderr
    assert "Traceback" not in out.stderr, out.stderr
    return out.stdout
