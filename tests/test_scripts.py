"""The two commands of a checkout, as far as they can be tried without running all tests."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

import httpx
import pytest

ROOT = Path(__file__).parents[1]
SCRIPTS = [ROOT / "scripts" / name for name in ("build", "demo", "docs", "test", "pin")]
pytestmark = pytest.mark.skipif(os.name != "posix" or not shutil.which("bash"), reason="they are bash's")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_it_is_a_program_that_bash_can_read(script: Path) -> None:
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", str(script)], check=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """As much of one as the script looks at before it installs."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "demo", tmp_path / "scripts")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def _demo(checkout: Path, **environ: str) -> "subprocess.CompletedProcess[str]":
    command = [str(checkout / "scripts" / "demo"), "--no-open"]
    return subprocess.run(
        command, env={"PATH": "/usr/bin:/bin"} | environ, capture_output=True, text=True, check=False
    )


def test_the_demo_says_which_python_it_needs(checkout: Path) -> None:
    done = _demo(checkout, PYTHON="false")
    assert done.returncode == 1
    assert "there is no Python 3.11 or later here" in done.stderr
    assert "PYTHON=/path/to/python3.13 scripts/demo" in done.stderr
    assert not (checkout / ".venv-demo").exists()


def test_the_demo_says_what_is_missing_to_make_an_environment(checkout: Path) -> None:
    python = checkout / "python"  # as Debian's is without python3-venv
    python.write_text(f'#!/bin/sh\n[ "$1" = -m ] && exit 1\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    done = _demo(checkout, PYTHON=str(python))
    assert done.returncode == 1
    assert "apt install python3-venv" in done.stderr


def test_the_demo_goes_on_with_the_environment_that_it_made(checkout: Path) -> None:
    folder = checkout / ".venv-demo" / "bin"
    folder.mkdir(parents=True)
    (folder / "python").symlink_to(sys.executable)
    (folder / "miharu").write_text('#!/bin/sh\necho "$@"\n')
    (folder / "miharu").chmod(0o755)
    stamp = subprocess.run(
        "sha256sum < pyproject.toml", shell=True, cwd=checkout, capture_output=True, check=True
    )
    (checkout / ".venv-demo" / "stamp").write_bytes(stamp.stdout)
    assert _demo(checkout).stdout == "demo --no-open\n"


@pytest.mark.full
def test_the_demo_shows_the_dashboard_from_a_checkout(tmp_path: Path) -> None:
    """With pip from a package index, in a copy, on the system's Python where it is new enough."""
    checkout = tmp_path / "checkout"
    left_out = shutil.ignore_patterns(".*", "__pycache__", "node_modules")
    shutil.copytree(ROOT, checkout, ignore=left_out)
    process = subprocess.Popen(
        [str(checkout / "scripts" / "demo"), "--no-open", "--port", "0"],
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHON": sys.executable},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        address = next(_addresses(cast("IO[str]", process.stdout)))
        assert "Overview" in httpx.get(address, trust_env=False, timeout=60).text
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) in {0, 130}
    finally:
        process.kill()
        process.communicate()


def _addresses(lines: IO[str]) -> Iterator[str]:
    said = []
    for line in lines:
        said.append(line)
        if found := re.search(r"The dashboard is at (http://\S+)", line):
            yield found[1]
    raise AssertionError("".join(said))


def test_nothing_is_built_of_another_version() -> None:
    found = subprocess.run(
        [ROOT / "scripts" / "build", "0.0.0.dev999"], capture_output=True, text=True, check=False
    )
    assert found.returncode == 1
    assert "version 0.0.0.dev999 is asked for" in found.stderr


@pytest.mark.parametrize("workflow", sorted((ROOT / ".github" / "workflows").iterdir()), ids=lambda w: w.name)
def test_a_workflow_runs_what_stands_in_scripts(workflow: Path) -> None:
    text = workflow.read_text()
    run = [line.split()[0] for line in re.findall(r"run: (.*)", text)]
    assert run
    assert all(each.startswith("scripts/") and os.access(ROOT / each, os.X_OK) for each in run)


REQUIREMENTS = sorted((ROOT / "requirements").iterdir())


@pytest.mark.parametrize("file", REQUIREMENTS, ids=lambda file: file.stem)
def test_requirements_have_hashes_and_name_no_package_index(file: Path) -> None:
    lines = file.read_text().splitlines()
    assert not [line for line in lines if re.search(r"https?://|--index-url|--find-links", line)]
    pinned = [line for line in lines if re.match(r"[a-z0-9]", line)]
    assert pinned
    for line in pinned:
        assert re.match(r"[\w.-]+(\[[\w,-]+\])?==\S+( ; .+)? \\$", line), line
    assert "\n".join(lines).count("--hash=sha256:") >= len(pinned)


@pytest.mark.parametrize("file", REQUIREMENTS, ids=lambda file: file.stem)
def test_requirements_are_described_pinned_and_installed(file: Path) -> None:
    assert f"`{file.name}`" in (ROOT / "CONTRIBUTING.md").read_text()
    for script in ("pin", "test"):
        assert re.search(rf"\b{file.stem}\b", (ROOT / "scripts" / script).read_text()), script


def _plan(tmp_path: Path, path: str, *options: str) -> str:
    """What ``scripts/test`` says that it installs in a checkout in which nothing is installed yet."""
    for name in ("scripts", "requirements"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    command = [str(tmp_path / "scripts" / "test"), *options, "--plan"]
    done = subprocess.run(command, env={"PATH": path}, capture_output=True, text=True, check=True)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["pyproject.toml", "requirements", "scripts"]
    return str(done.stdout)


def test_the_tests_say_what_they_install_before_they_do(tmp_path: Path) -> None:
    bare = tmp_path / "bin"
    bare.mkdir()
    for tool in ("bash", "cat", "cut", "dirname", "env", "grep", "id", "sha256sum", "cmp"):
        (bare / tool).symlink_to(str(shutil.which(tool)))
    (tmp_path / "checkout").mkdir()
    said = _plan(tmp_path / "checkout", str(bare))
    assert re.search(r"on this machine, with (sudo )?apt-get: chromium .*openssl", said)
    assert re.search(r"into \.venv: \d+ packages of requirements/dev\.txt\n", said)
    assert ".venv-sdks" not in said


def test_the_long_run_says_each_environment(tmp_path: Path) -> None:
    said = _plan(tmp_path, os.environ["PATH"], "--full")
    for file in REQUIREMENTS:
        assert f"packages of requirements/{file.name}\n" in said


def test_the_tests_refuse_an_option_that_they_do_not_know() -> None:
    done = subprocess.run([ROOT / "scripts" / "test", "--ful"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "'--ful' is not one of --full, --plan" in done.stderr
