"""A program that PyInstaller has packed: it records, and it shows the dashboard."""

import json
import os
import subprocess
import sys

import pytest

from tests.hosts.conftest import Host, need

need("PyInstaller")

pytestmark = pytest.mark.full

PROGRAM = """
import asyncio, json, os, re, sys
import miharu
miharu.init("calls.db", capture_content=True)
import httpx2

async def look(*paths):
    transport = httpx2.ASGITransport(miharu.asgi(auth="off"))
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return [await client.get(path) for path in paths]

body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hello"}]}
httpx2.post(os.environ["MODEL_URL"] + "/chat/completions", json=body).raise_for_status()
assert miharu.flush(30)
page, calls = asyncio.run(look("/", "/calls"))
assets = ["/" + found for found in set(re.findall(r'(?:src|href)="(static/[^"]+)"', page.text))]
print(json.dumps({
    "frozen": getattr(sys, "frozen", False),
    "written": miharu.stats()["written"],
    "unpriced": miharu.stats()["unpriced"],
    "status": [each.status_code for each in (page, calls)],
    "shown": "gpt-4o-mini" in calls.text,
    "assets": [each.status_code for each in asyncio.run(look(*assets))],
}))
"""


def test_a_plain_build_records_and_serves(host: Host) -> None:
    (host.folder / "program.py").write_text(PROGRAM)
    build = subprocess.run(
        [sys.executable, "-m", "PyInstaller", "--onedir", "--noconfirm", "--log-level", "WARN", "program.py"],
        cwd=host.folder,
        env=host.environ | {"PYINSTALLER_CONFIG_DIR": str(host.folder / "config")},
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    assert build.returncode == 0, build.stderr
    environ = {name: value for name, value in host.environ.items() if name != "PYTHONPATH"}
    (host.folder / "elsewhere").mkdir()
    run = subprocess.run(
        [host.folder / "dist" / "program" / "program"],
        cwd=host.folder / "elsewhere",
        env=environ | {"PATH": os.defpath},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "miharu: " not in run.stderr
    said = json.loads(run.stdout)
    assert said.pop("assets")
    assert said == {
        "frozen": True,
        "written": 1,
        "unpriced": 0,
        "status": [200, 200],
        "shown": True,
    }
