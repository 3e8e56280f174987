"""The commands that go on, as processes of their own, seen through HTTP."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from .conftest import Run, environment, serving


def totals(http: httpx.Client) -> Any:
    return http.get("api/totals").raise_for_status().json()


def until(http: httpx.Client, calls: int) -> Any:
    """The totals, once there are so many calls."""
    deadline = time.monotonic() + 40
    while True:
        found = totals(http)
        if found["calls"] >= calls:
            return found
        assert time.monotonic() < deadline, found


def test_the_dashboard_shows_what_other_processes_record(tmp_path: Path, recorded: Path) -> None:
    with (
        serving(tmp_path, "dashboard", "--database", str(recorded), "--port", "0") as command,
        httpx.Client(base_url=command.address, trust_env=False, timeout=60) as http,
    ):
        assert command.address.startswith("http://127.0.0.1:")
        assert totals(http)["calls"] == 6
        assert "gpt-4o" in http.get("").raise_for_status().text
        code, said, complaints = command.end()
        assert (code, said.strip(), complaints) == (0, "", "")


def test_the_demo_makes_calls_until_it_is_ended(tmp_path: Path, run: Run) -> None:
    environment = {"TMPDIR": str(tmp_path), "MIHARU_DISABLED": "1", "OPENAI_BASE_URL": "http://192.0.2.1/"}
    with (
        serving(tmp_path, "demo", "--no-open", "--port", "0", **environment) as command,
        httpx.Client(base_url=command.address, trust_env=False, timeout=60) as http,
    ):
        found = until(http, 40)
        assert found["cost_nanousd"] > 0
        [folder] = tmp_path.glob("miharu-demo-*")
        assert str(folder) in "".join(command.said)
        stats = json.loads(run("stats", "--database", str(folder / "calls.db"), "--json").stdout)
        assert "POST /chat/{thread_id}" in {group["key"] for group in stats["routes"]}
        assert len(stats["routes"]) >= 4
        assert len(stats["models"]) >= 4
        # It goes on by itself.
        until(http, found["calls"] + 2)
        code, said, complaints = command.end()
    assert (code, complaints) == (0, "")
    assert said.strip() == "The demo has ended; nothing of it is left."
    assert not folder.exists()


def test_the_demo_has_something_for_each_page(tmp_path: Path) -> None:
    told = {
        "users": "ann",
        "tags?name=team": "support",
        "tags?name=release": "1.4",
        "prompts?sel=orders.support": "Look an order up, and its parcel",
        "tools": "track_parcel",
        "sessions": "ann-0",
    }
    with (
        serving(tmp_path, "demo", "--no-open", "--port", "0", TMPDIR=str(tmp_path)) as command,
        httpx.Client(base_url=command.address, trust_env=False, timeout=60) as http,
    ):
        deadline = time.monotonic() + 60
        while missing := [page for page, text in told.items() if text not in http.get(page).text]:
            assert time.monotonic() < deadline, missing
            time.sleep(0.5)
        command.end()


def test_a_demo_that_is_terminated_leaves_nothing_either(tmp_path: Path) -> None:
    with serving(tmp_path, "demo", "--no-open", "--port", "0", TMPDIR=str(tmp_path)) as command:
        code, _, complaints = command.end(signal.SIGTERM)
    assert (code, complaints) == (0, "")
    assert not list(tmp_path.glob("miharu-demo-*"))


def test_without_the_sdk_the_demo_says_what_to_install(tmp_path: Path) -> None:
    script = "import sys; sys.modules['openai'] = None; from miharu.cli import main; sys.exit(main(['demo']))"
    done = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True, env=environment(tmp_path)
    )
    assert done.returncode == 2
    assert 'pip install "miharu[demo]"' in " ".join(done.stderr.split())


@pytest.mark.parametrize("command", ["dashboard", "demo"])
def test_a_port_is_checked_before_anything_is_left_behind(run: Run, tmp_path: Path, command: str) -> None:
    done = run(command, "--port", "-1")
    assert done.returncode == 2
    assert not list(tmp_path.iterdir())
