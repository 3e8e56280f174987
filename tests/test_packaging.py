"""The wheel, built from a clean copy of the checkout and used outside it."""

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TRACKED = ("miharu", "web", "README.md", "LICENSE", "pyproject.toml", "CHANGELOG.md")


def sources() -> list[Path]:
    """The files that make the package, without what running it has left behind."""
    found = []
    for name in TRACKED:
        path = ROOT / name
        found += [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    return [path for path in found if "__pycache__" not in path.parts]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    checkout = tmp_path_factory.mktemp("checkout")
    for path in sources():
        copy = checkout / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    code = "import sys; from hatchling.build import build_sdist; print(build_sdist(sys.argv[1]))"
    dist = tmp_path_factory.mktemp("dist")
    run = subprocess.run(
        [sys.executable, "-c", code, str(dist)], cwd=checkout, capture_output=True, text=True, check=True
    )
    with tarfile.open(dist / run.stdout.split()[-1]) as archive:
        archive.extractall(dist, filter="data")
    (unpacked,) = (path for path in dist.iterdir() if path.is_dir())
    code = code.replace("build_sdist", "build_wheel")
    run = subprocess.run(
        [sys.executable, "-c", code, str(dist)], cwd=unpacked, capture_output=True, text=True, check=True
    )
    return dist / run.stdout.split()[-1]


def test_it_contains_the_package_and_every_asset(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if not name.startswith("miharu-")}
    expected = {
        str(path.relative_to(ROOT)).replace("web/", "miharu/_web/", 1)
        for path in sources()
        if path.relative_to(ROOT).parts[0] in {"miharu", "web"}
    }
    assert packed == expected
    assert any(name.startswith("miharu/_web/templates/") for name in packed)
    assert any(name.startswith("miharu/_web/static/vendor/htmx") for name in packed)
    assert "miharu/py.typed" in packed


def test_web_holds_assets_only() -> None:
    assert not list((ROOT / "web").rglob("*.py"))


@pytest.mark.skipif(sys.platform == "win32", reason="paths of a Unix environment")
def test_it_works_outside_the_checkout(wheel: Path, tmp_path: Path) -> None:
    """In an environment of its own it records a call and renders it, assets and all."""
    home = tmp_path / "env"
    venv.create(home, system_site_packages=False, with_pip=False, symlinks=True)
    site = next((home / "lib").glob("python*")) / "site-packages"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    # the dependencies of this environment, but not its miharu
    dependencies = [path for path in sys.path if path.endswith("site-packages")]
    (site / "dependencies.pth").write_text("\n".join(dependencies))
    script = """
import asyncio, pathlib, sys
import miharu
assert pathlib.Path(miharu.__file__).is_relative_to(sys.prefix), miharu.__file__
miharu.init("calls.db")
import httpx2
answer = {"model": "gpt-4o", "choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}
client = httpx2.Client(transport=httpx2.MockTransport(lambda request: httpx2.Response(200, json=answer)))
client.post("https://api.openai.com/v1/chat/completions", json={"model": "gpt-4o", "messages": []})
assert miharu.flush()
async def get(path):
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(miharu.asgi(auth="off")), base_url="http://localhost"
    ) as client:
        return await client.get(path)
page = asyncio.run(get("/"))
assert page.status_code == 200 and "gpt-4o" in page.text, page.text[:2000]
import re
for asset in set(re.findall(r'(?:src|href)="(static/[^"]+)"', page.text)):
    assert asyncio.run(get("/" + asset)).status_code == 200, asset
print("shown")
"""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("MIHARU", "PY"))}
    run = subprocess.run(
        [home / "bin" / "python", "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=environ,
    )
    assert run.stdout.strip() == "shown", run.stderr
